//! Friends, and what users say about themselves.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::option::of;
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::UserId;
use rtm_proto::api::*;

use super::methods;
use super::values::{given, id, ids, lenient, list, text};

fn users(ids: &[i64]) -> Vec<UserId> {
    ids.iter().copied().map(UserId).collect()
}

methods! {
    "addfriends" => friends_are_added |method| (friends in ids()) {
        let request = AddFriends::new(friends.clone());
        method.writes(&request, &[("friends", list(&friends))]);
        method.gives_nothing(&request);
    }

    "delfriends" => friends_are_removed |method| (friends in ids()) {
        let request = RemoveFriends::new(friends.clone());
        method.writes(&request, &[("friends", list(&friends))]);
        method.gives_nothing(&request);
    }

    "getfriends" => friends_are_listed |method| (friends in ids()) {
        let request = GetFriends::new();
        method.writes(&request, &[]);
        let answer = [("uids", list(&friends))];
        method.reads(&request, &["uids"], &answer, |got| got, &users(&friends));
    }

    "getonlineusers" => online_users_are_told |method| (asked in ids(), online in ids()) {
        let request = GetOnlineUsers::new(asked.clone());
        method.writes(&request, &[("uids", list(&asked))]);
        let answer = [("uids", list(&online))];
        method.reads(&request, &["uids"], &answer, |got| got, &users(&online));
    }

    "setuserinfo" => user_info_is_set |method| (public in of(text()), private in of(text())) {
        let mut request = SetUserInfo::new();
        if let Some(text) = &public {
            request = request.public_info(text);
        }
        if let Some(text) = &private {
            request = request.private_info(text);
        }
        let fields = [("oinfo", public.map(Value::from)), ("pinfo", private.map(Value::from))];
        method.writes(&request, &given(fields));
        method.gives_nothing(&request);
    }

    "getuserinfo" => user_info_is_read |method| (
        (public, public_text) in lenient(), (private, private_text) in lenient(),
    ) {
        let request = GetUserInfo::new();
        method.writes(&request, &[]);
        let answer = [("oinfo", public), ("pinfo", private)];
        let view = |info: Info| (info.public_info, info.private_info);
        method.reads(&request, &[], &answer, view, &(public_text, private_text));
    }

    "getuseropeninfo" => public_info_of_users_is_read |method| (
        asked in ids(), infos in btree_map(id(), lenient(), 0..8), keys_are_text in any::<bool>(),
    ) {
        let request = GetUsersPublicInfo::new(asked.clone());
        method.writes(&request, &[("uids", list(&asked))]);
        let key = |id: i64| if keys_are_text { id.to_string().into() } else { id.into() };
        let wire = infos.iter().map(|(id, (wire, _))| (key(*id), wire.clone()));
        let answer = [("info", Value::Map(wire.collect()))];
        let expected: BTreeMap<_, _> =
            infos.into_iter().map(|(id, (_, text))| (UserId(id), text)).collect();
        method.reads(&request, &["info"], &answer, |got| got, &expected);
    }
}
