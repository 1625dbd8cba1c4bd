//! Groups and rooms.

use proptest::option::of;
use rmpv::Value;
use rtm_proto::api::*;
use rtm_proto::{GroupId, RoomId, UserId};

use super::methods;
use super::values::{given, id, ids, lenient, list, text};

fn info(info: Info) -> (String, String) {
    (info.public_info, info.private_info)
}

methods! {
    "addgroupmembers" => group_members_are_added |method| (group in id(), users in ids()) {
        let request = AddGroupMembers::new(group, users.clone());
        method.writes(&request, &[("gid", group.into()), ("uids", list(&users))]);
        method.gives_nothing(&request);
    }

    "delgroupmembers" => group_members_are_removed |method| (group in id(), users in ids()) {
        let request = RemoveGroupMembers::new(group, users.clone());
        method.writes(&request, &[("gid", group.into()), ("uids", list(&users))]);
        method.gives_nothing(&request);
    }

    "getgroupmembers" => group_members_are_listed |method| (group in id(), users in ids()) {
        let request = GetGroupMembers::new(group);
        method.writes(&request, &[("gid", group.into())]);
        let answer = [("uids", list(&users))];
        let expected: Vec<_> = users.into_iter().map(UserId).collect();
        method.reads(&request, &["uids"], &answer, |got| got, &expected);
    }

    "getusergroups" => groups_are_listed |method| (groups in ids()) {
        let request = GetUserGroups::new();
        method.writes(&request, &[]);
        let answer = [("gids", list(&groups))];
        let expected: Vec<_> = groups.into_iter().map(GroupId).collect();
        method.reads(&request, &["gids"], &answer, |got| got, &expected);
    }

    "setgroupinfo" => group_info_is_set |method| (
        group in id(), public in of(text()), private in of(text()),
    ) {
        let mut request = SetGroupInfo::new(group);
        if let Some(text) = &public {
            request = request.public_info(text);
        }
        if let Some(text) = &private {
            request = request.private_info(text);
        }
        let fields = [
            ("gid", Some(group.into())),
            ("oinfo", public.map(Value::from)),
            ("pinfo", private.map(Value::from)),
        ];
        method.writes(&request, &given(fields));
        method.gives_nothing(&request);
    }

    "getgroupinfo" => group_info_is_read |method| (
        group in id(), (public, public_text) in lenient(), (private, private_text) in lenient(),
    ) {
        let request = GetGroupInfo::new(group);
        method.writes(&request, &[("gid", group.into())]);
        let answer = [("oinfo", public), ("pinfo", private)];
        method.reads(&request, &[], &answer, info, &(public_text, private_text));
    }

    "getgroupopeninfo" => public_group_info_is_read |method| (
        group in id(), (public, text) in lenient(), (private, _) in lenient(),
    ) {
        let request = GetGroupPublicInfo::new(group);
        method.writes(&request, &[("gid", group.into())]);
        let answer = [("oinfo", public), ("pinfo", private)];
        method.reads(&request, &[], &answer, |got| got, &text);
    }

    "enterroom" => rooms_are_entered |method| (room in id()) {
        let request = EnterRoom::new(room);
        method.writes(&request, &[("rid", room.into())]);
        method.gives_nothing(&request);
    }

    "leaveroom" => rooms_are_left |method| (room in id()) {
        let request = LeaveRoom::new(room);
        method.writes(&request, &[("rid", room.into())]);
        method.gives_nothing(&request);
    }

    "getuserrooms" => rooms_are_listed |method| (rooms in ids()) {
        let request = GetUserRooms::new();
        method.writes(&request, &[]);
        let answer = [("rooms", list(&rooms))];
        let expected: Vec<_> = rooms.into_iter().map(RoomId).collect();
        method.reads(&request, &["rooms"], &answer, |got| got, &expected);
    }

    "setroominfo" => room_info_is_set |method| (
        room in id(), public in of(text()), private in of(text()),
    ) {
        let mut request = SetRoomInfo::new(room);
        if let Some(text) = &public {
            request = request.public_info(text);
        }
        if let Some(text) = &private {
            request = request.private_info(text);
        }
        let fields = [
            ("rid", Some(room.into())),
            ("oinfo", public.map(Value::from)),
            ("pinfo", private.map(Value::from)),
        ];
        method.writes(&request, &given(fields));
        method.gives_nothing(&request);
    }

    "getroominfo" => room_info_is_read |method| (
        room in id(), (public, public_text) in lenient(), (private, private_text) in lenient(),
    ) {
        let request = GetRoomInfo::new(room);
        method.writes(&request, &[("rid", room.into())]);
        let answer = [("oinfo", public), ("pinfo", private)];
        method.reads(&request, &[], &answer, info, &(public_text, private_text));
    }

    "getroomopeninfo" => public_room_info_is_read |method| (
        room in id(), (public, text) in lenient(), (private, _) in lenient(),
    ) {
        let request = GetRoomPublicInfo::new(room);
        method.writes(&request, &[("rid", room.into())]);
        let answer = [("oinfo", public), ("pinfo", private)];
        method.reads(&request, &[], &answer, |got| got, &text);
    }
}
