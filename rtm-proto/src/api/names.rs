//! Names on the wire and of options, as lists.

use crate::event::push_names;

/// Every method a client of this service calls: `which` at dispatch, 47 at
/// the gate, 3 at a file gate.
///
/// `which`, `auth` and `bye` are part of logging in and out, and the last
/// three of sending a file; every other has a request type in this module.
pub const METHODS: &[&str] = &[
    "which",
    "auth",
    "bye",
    "kickout",
    "addattrs",
    "getattrs",
    "adddebuglog",
    "adddevice",
    "removedevice",
    "sendmsg",
    "sendgroupmsg",
    "sendroommsg",
    "getunread",
    "cleanunread",
    "getsession",
    "getgroupmsg",
    "getroommsg",
    "getbroadcastmsg",
    "getp2pmsg",
    "delmsg",
    "getmsg",
    "filetoken",
    "setlang",
    "translate",
    "profanity",
    "addfriends",
    "delfriends",
    "getfriends",
    "addgroupmembers",
    "delgroupmembers",
    "getgroupmembers",
    "getusergroups",
    "setgroupinfo",
    "getgroupinfo",
    "getgroupopeninfo",
    "enterroom",
    "leaveroom",
    "getuserrooms",
    "setroominfo",
    "getroominfo",
    "getroomopeninfo",
    "getonlineusers",
    "setuserinfo",
    "getuserinfo",
    "getuseropeninfo",
    "dataset",
    "dataget",
    "datadel",
    "sendfile",
    "sendgroupfile",
    "sendroomfile",
];

/// Every method a gate pushes.
pub const PUSHES: &[&str] = &[
    "ping",
    "kickout",
    "kickoutroom",
    "pushmsg",
    "pushgroupmsg",
    "pushroommsg",
    "pushbroadcastmsg",
];

/// The names of the events of the JavaScript SDK that come of pushes; those of
/// [`Event::push_name`](crate::Event::push_name).
pub const EVENTS: &[&str] = push_names::ALL;

/// The options of the JavaScript SDK's client. All but the last two are
/// settings of [`Config`](crate::Config): whoever runs this crate is the
/// `platformImpl` and moves the bytes, and `md5` is built in.
pub const OPTIONS: &[&str] = &[
    "dispatch",
    "pid",
    "uid",
    "token",
    "autoReconnect",
    "connectionTimeout",
    "version",
    "attrs",
    "ssl",
    "proxyEndpoint",
    "platformImpl",
    "md5",
];
