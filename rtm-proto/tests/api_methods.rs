//! What the convenience methods send: written once, for every adapter.

use bytes::BytesMut;
use rtm_proto::api::*;
use rtm_proto::payload::PayloadWriter;
use rtm_proto::{Context, GroupId, MessageId, Request, RoomId, UserId};

/// A caller that gives the method and the parameters of each call as text.
struct Sent;

impl Caller for Sent {
    type Reply<R: Request> = String;

    fn call<R: Request>(&self, request: R) -> String {
        let mut buffer = BytesMut::new();
        let mut writer = PayloadWriter::new(&mut buffer);
        let mut context = Context::default();
        context.check_arguments = true;
        context.message_id = MessageId(5);
        request.encode(&context, &mut writer).unwrap();
        writer.finish().unwrap();
        let parameters = rmpv::decode::read_value(&mut &buffer[..]).unwrap();
        format!("{} {parameters}", request.method())
    }
}

impl DataApi for Sent {}
impl FileApi for Sent {}
impl FriendApi for Sent {}
impl GroupApi for Sent {}
impl HistoryApi for Sent {}
impl LanguageApi for Sent {}
impl RoomApi for Sent {}
impl StoredMessageApi for Sent {}
impl UnreadApi for Sent {}
impl UserApi for Sent {}

#[test]
fn histories_are_read_from_their_newest_messages_back() {
    assert_eq!(
        Sent.get_p2p_messages(7, 10),
        r#"getp2pmsg {"ouid": 7, "desc": true, "num": 10}"#
    );
    assert_eq!(
        Sent.get_group_messages(7, 10),
        r#"getgroupmsg {"gid": 7, "desc": true, "num": 10}"#
    );
    assert_eq!(
        Sent.get_room_messages(7, 10),
        r#"getroommsg {"rid": 7, "desc": true, "num": 10}"#
    );
    assert_eq!(
        Sent.get_broadcast_messages(10),
        r#"getbroadcastmsg {"desc": true, "num": 10}"#
    );
}

#[test]
fn chats_are_histories_of_the_three_chat_types() {
    assert_eq!(
        Sent.get_p2p_chat(7, 10),
        r#"getp2pmsg {"ouid": 7, "desc": true, "num": 10, "mtypes": [30, 31, 32]}"#
    );
    assert_eq!(
        Sent.get_group_chat(7, 10),
        r#"getgroupmsg {"gid": 7, "desc": true, "num": 10, "mtypes": [30, 31, 32]}"#
    );
    assert_eq!(
        Sent.get_room_chat(7, 10),
        r#"getroommsg {"rid": 7, "desc": true, "num": 10, "mtypes": [30, 31, 32]}"#
    );
    assert_eq!(
        Sent.get_broadcast_chat(10),
        r#"getbroadcastmsg {"desc": true, "num": 10, "mtypes": [30, 31, 32]}"#
    );
}

#[test]
fn reading_a_single_chat_is_one_call_of_the_message_method() {
    let expected = r#"getmsg {"mid": 5, "xid": 7, "type": 2}"#;
    assert_eq!(Sent.get_chat(GroupId(7), 5), expected);
    assert_eq!(Sent.get_message(GroupId(7), 5), expected);
}

#[test]
fn deleting_a_single_chat_keeps_every_argument_in_its_place() {
    let expected = r#"delmsg {"mid": 5, "xid": 7, "type": 3}"#;
    assert_eq!(Sent.delete_chat(RoomId(7), 5), expected);
    assert_eq!(Sent.delete_message(RoomId(7), 5), expected);
}

#[test]
fn the_sender_of_a_single_message_is_sent_only_when_given() {
    let message = GetMessage::new(UserId(7), 5).sender(9);
    assert_eq!(
        Sent.call(message),
        r#"getmsg {"mid": 5, "xid": 7, "type": 1, "from": 9}"#
    );
    let broadcast = DeleteMessage::new(Target::Broadcast, 5).sender(9);
    assert_eq!(
        Sent.call(broadcast),
        r#"delmsg {"mid": 5, "xid": 0, "type": 4, "from": 9}"#
    );
}

#[test]
fn unread_messages_are_cleared_only_when_asked() {
    assert_eq!(Sent.get_unread(), "getunread {}");
    let clearing = GetUnread::new().clear(true);
    assert_eq!(Sent.call(clearing), r#"getunread {"clear": true}"#);
    assert_eq!(Sent.clear_unread(), "cleanunread {}");
    assert_eq!(Sent.get_sessions(), "getsession {}");
}

#[test]
fn info_that_is_not_given_is_not_sent() {
    assert_eq!(
        Sent.set_user_info(Some("a"), None),
        r#"setuserinfo {"oinfo": "a"}"#
    );
    assert_eq!(
        Sent.set_group_info(7, None, Some("")),
        r#"setgroupinfo {"gid": 7, "pinfo": ""}"#
    );
    assert_eq!(
        Sent.set_room_info(7, Some("a"), Some("b")),
        r#"setroominfo {"rid": 7, "oinfo": "a", "pinfo": "b"}"#
    );
    assert_eq!(Sent.set_user_info(None, None), "setuserinfo {}");
}

#[test]
fn info_is_read_by_id() {
    assert_eq!(Sent.get_user_info(), "getuserinfo {}");
    assert_eq!(
        Sent.get_users_public_info([7, 8]),
        r#"getuseropeninfo {"uids": [7, 8]}"#
    );
    assert_eq!(Sent.get_group_info(7), r#"getgroupinfo {"gid": 7}"#);
    assert_eq!(
        Sent.get_group_public_info(7),
        r#"getgroupopeninfo {"gid": 7}"#
    );
    assert_eq!(Sent.get_room_info(7), r#"getroominfo {"rid": 7}"#);
    assert_eq!(
        Sent.get_room_public_info(7),
        r#"getroomopeninfo {"rid": 7}"#
    );
}

#[test]
fn friends_and_online_users_are_lists_of_ids() {
    assert_eq!(
        Sent.add_friends([7, 8]),
        r#"addfriends {"friends": [7, 8]}"#
    );
    assert_eq!(
        Sent.remove_friends([UserId(7)]),
        r#"delfriends {"friends": [7]}"#
    );
    assert_eq!(Sent.get_friends(), "getfriends {}");
    assert_eq!(
        Sent.get_online_users([7, 8]),
        r#"getonlineusers {"uids": [7, 8]}"#
    );
}

#[test]
fn data_is_kept_read_and_removed_by_key() {
    assert_eq!(Sent.set_data("k", ""), r#"dataset {"key": "k", "val": ""}"#);
    assert_eq!(Sent.get_data("k"), r#"dataget {"key": "k"}"#);
    assert_eq!(Sent.delete_data("k"), r#"datadel {"key": "k"}"#);
}

#[test]
fn options_of_translation_are_sent_only_when_given() {
    assert_eq!(
        Sent.translate("hi", "fr"),
        r#"translate {"text": "hi", "dst": "fr"}"#
    );
    let with_all = Translate::new("hi", "fr")
        .source_language("en")
        .text_type(TextType::Mail)
        .profanity(Profanity::from("new mode"))
        .post_profanity(false);
    assert_eq!(
        Sent.call(with_all),
        r#"translate {"text": "hi", "dst": "fr", "src": "en", "type": "mail", "profanity": "new mode", "postProfanity": false}"#
    );
    assert_eq!(
        Sent.filter_profanity("darn"),
        r#"profanity {"text": "darn"}"#
    );
    let classifying = FilterProfanity::new("darn").classify(true);
    assert_eq!(
        Sent.call(classifying),
        r#"profanity {"text": "darn", "classify": true}"#
    );
}

#[test]
fn a_file_token_is_asked_for_with_the_command_of_the_recipient() {
    assert_eq!(
        Sent.get_file_token(UserId(7)),
        r#"filetoken {"cmd": "sendfile", "to": 7}"#
    );
    assert_eq!(
        Sent.get_file_token(GroupId(7)),
        r#"filetoken {"cmd": "sendgroupfile", "gid": 7}"#
    );
    assert_eq!(
        Sent.get_file_token(RoomId(7)),
        r#"filetoken {"cmd": "sendroomfile", "rid": 7}"#
    );
    let several = GetFileToken::new("sendfiles").to_users([7, 8]);
    assert_eq!(
        Sent.call(several),
        r#"filetoken {"cmd": "sendfiles", "tos": [7, 8]}"#
    );
    let upload = GetFileToken::new(FileCommand::UploadFile);
    assert_eq!(Sent.call(upload), r#"filetoken {"cmd": "uploadfile"}"#);
}
