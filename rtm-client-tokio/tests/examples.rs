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

/// The names of the JavaScript SDK that the README must explain.
const ENTRIES: &str = "login close destroy processor \
    sendMessage sendChat sendAudio sendCmd \
    sendGroupMessage sendGroupChat sendGroupAudio sendGroupCmd \
    sendRoomMessage sendRoomChat sendRoomAudio sendRoomCmd \
    getUnreadMessage cleanUnreadMessage getSession \
    getGroupMessage getGroupChat getRoomMessage getRoomChat \
    getBroadcastMessage getBroadcastChat getP2PMessage getP2PChat \
    fileToken addAttrs getAttrs addDebugLog addDevice removeDevice \
    setTranslationLanguage translate profanity \
    addFriends deleteFriends getFriends \
    addGroupMembers deleteGroupMembers getGroupMembers getUserGroups \
    setGroupInfo getGroupInfo getGroupOpenInfo \
    enterRoom leaveRoom getUserRooms setRoomInfo getRoomInfo getRoomOpenInfo \
    getOnlineUsers setUserInfo getUserInfo getUserOpenInfo \
    deleteMessage getMessage deleteChat getChat kickout \
    dataGet dataSet dataDelete sendFile sendGroupFile sendRoomFile";

#[test]
fn the_migration_table_has_every_entry_event_and_option() {
    let readme = include_str!("../../README.md");
    let entries: Vec<&str> = ENTRIES.split_whitespace().collect();
    // The constructor is the 67th; `processor` is no call.
    assert_eq!(entries.len(), 66 + 1);
    assert!(readme.contains("| `new RTMClient(options)` |"));
    let explained = |name: &str| {
        let rows = [format!("| `{name}` |"), format!("| `{name}(")];
        rows.iter().any(|row| readme.contains(row))
    };
    let names = entries
        .iter()
        .chain(rtm_client_tokio::api::EVENTS)
        .chain(rtm_client_tokio::api::OPTIONS);
    let missing: Vec<&&str> = names.filter(|name| !explained(name)).collect();
    assert_eq!(missing, [&""; 0]);
}

/// Whoever looks for such a name in the documentation finds what took its
/// place.
#[test]
fn the_documentation_is_found_by_the_names_of_the_javascript_sdk() {
    let here = env!("CARGO_MANIFEST_DIR");
    let areas = std::fs::read_dir(format!("{here}/../rtm-proto/src/api")).unwrap();
    let clients = ["tokio", "async-std", "blocking"]
        .map(|name| format!("{here}/../rtm-client-{name}/src/client.rs").into());
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let mut sources: Vec<String> = areas.map(|file| read(file.unwrap().path())).collect();
    let clients = clients.map(read);
    sources.extend(clients.clone());
    let is_found = |name: &&str| {
        let (alias, method) = (format!("doc(alias = \"{name}\")"), format!("fn {name}("));
        let mut sources = sources.iter();
        sources.any(|text| text.contains(&alias) || text.contains(&method))
    };
    let (_, missing): (Vec<_>, Vec<_>) = ENTRIES.split_whitespace().partition(is_found);
    assert_eq!(missing, [""; 0]);
    for name in ["close", "destroy", "processor"] {
        let alias = format!("doc(alias = \"{name}\")");
        assert!(
            clients.iter().all(|client| client.contains(&alias)),
            "{name}"
        );
    }
}
