//! A bot that answers every chat with the same text, until ctrl-c.
//!
//! Here another user of the local gate talks to it, and it stops after three
//! answers; leave `limit` out for one that stays.

use std::error::Error;

use rtm_client_tokio::prelude::*;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (bot, user) = (&gate.users()[0], &gate.users()[1]);
    let login = |user: &rtm_gate::User| {
        Client::builder(gate.project_id(), user.id, user.token.as_str())
            .dispatch(gate.dispatch().ws)
            .auto_reconnect(true)
            .login()
    };
    let bot = login(bot).await?;
    let talker = login(user).await?;
    let bot_id = gate.users()[0].id;
    tokio::spawn(async move {
        for text in ["one", "two", "three"] {
            talker.send_chat(bot_id, text).await?;
        }
        let mut events = talker.events();
        while let Some(event) = events.next().await {
            if let Event::Message(answer) = event {
                println!("the user sees {:?}", answer.body);
            }
        }
        Ok::<(), RequestError>(())
    });

    tokio::select! {
        answered = echo(&bot, Some(3)) => println!("answered {} chats", answered?),
        _ = tokio::signal::ctrl_c() => println!("stopped"),
    }
    bot.logout().await;
    Ok(())
}

/// Answers chats between users, at most `limit`.
async fn echo(bot: &Client, limit: Option<usize>) -> Result<usize, RequestError> {
    let mut events = bot.events();
    let mut answered = 0;
    while limit != Some(answered) {
        let Some(event) = events.next().await else {
            break;
        };
        let Event::Message(chat) = event else {
            continue;
        };
        if chat.kind == MessageKind::Chat && chat.conversation == Conversation::P2p {
            // A message that may wait for a reconnect and is sent once.
            let answer = SendMessage::new(chat.sender, chat.message_type, chat.body);
            let options = RequestOptions::default()
                .wait_online(true)
                .resend_on_loss(2);
            bot.with_options(options).call(answer).await?;
            answered += 1;
        }
    }
    Ok(answered)
}
