//! Runs every example, as a newcomer would.

use std::error::Error;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

/// An example that takes longer than this hangs.
const LIMIT: Duration = Duration::from_secs(60);

#[track_caller]
fn ends_well(main: fn() -> Outcome) {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(main().map_err(|error| error.to_string())));
    let outcome = outcome.recv_timeout(LIMIT).expect("it ends in time");
    assert_eq!(outcome, Ok(()));
}

macro_rules! examples {
    ($($name:ident = $path:literal;)*) => {$(
        #[path = $path]
        mod $name;

        #[test]
        fn $name() {
            ends_well($name::main);
        }
    )*};
}

examples! {
    chat = "../examples/chat.rs";
    echo_bot = "../examples/echo_bot.rs";
    file_upload = "../examples/file_upload.rs";
    history_export = "../examples/history_export.rs";
    quickstart = "../examples/quickstart.rs";
    room_reconnect = "../examples/room_reconnect.rs";
    token_provider = "../examples/token_provider.rs";
}
