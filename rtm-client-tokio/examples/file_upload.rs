//! Sends a file to another user, with a progress bar.
//!
//! ```sh
//! cargo run -p rtm-client-tokio --example file_upload -- picture.png
//! ```
//!
//! Without an argument it sends 2 MB made up on the spot.

use std::error::Error;
use std::path::Path;

use indicatif::ProgressBar;
use rtm_client_tokio::file;
use rtm_client_tokio::prelude::*;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (me, peer) = (&gate.users()[0], &gate.users()[1]);
    let client = Client::builder(gate.project_id(), me.id, me.token.as_str())
        .dispatch(gate.dispatch().ws)
        .login()
        .await?;
    let path = std::env::args()
        .nth(1)
        .filter(|name| Path::new(name).is_file());
    let request = match &path {
        Some(name) => file::from_path(UserId(peer.id), MessageType::FILE, name).await?,
        None => SendFile::new(UserId(peer.id), MessageType::FILE, vec![7; 2_000_000])
            .name("made-up.bin"),
    };

    let mut events = client.events();
    let bar = ProgressBar::new(0);
    let mut upload = std::pin::pin!(client.call(request));
    let receipt = loop {
        tokio::select! {
            done = &mut upload => break done?,
            Some(event) = events.next() => if let Event::UploadProgress { sent, total, .. } = event {
                bar.set_length(total);
                bar.set_position(sent);
            },
        }
    };
    bar.finish();
    println!("sent as message {}", receipt.message_id);
    client.logout().await;
    Ok(())
}
