//! The numeric error codes of FPNN and RTM, with names and retry hints.

use core::fmt;

/// What a caller may do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The same call will fail again.
    No,
    /// The same call may succeed after a pause; use a growing one.
    Later,
    /// The call was not executed, or its connection is gone: repeat it after
    /// the next login.
    Reconnect,
    /// The call may or may not have been executed: repeat it only if doing it
    /// twice is harmless, and a send only with the same message id.
    Check,
    /// A new token or a login is needed first.
    Login,
    /// Worth a single repeat.
    Once,
}

/// An error code, as servers send it and as this client raises it.
///
/// Unknown numbers are kept: a newer service may have codes that this list
/// does not. The names are those of the upstream error tables (`FPNN_EC_…` in
/// `highras/fpnn base/FpnnError.h`, `RTM_EC_…` in the RTM SDKs), including
/// their spelling.
///
/// ```
/// use rtm_proto::error::{ErrorCode, Retry};
///
/// let code = ErrorCode(200041);
/// assert_eq!(code, ErrorCode::NOT_GROUP_MEMBER);
/// assert_eq!(code.name(), Some("RTM_EC_NOT_GROUP_MEMBER"));
/// assert_eq!(code.retry(), Retry::No);
/// assert_eq!(code.to_string(), "200041 RTM_EC_NOT_GROUP_MEMBER (not a member of that group)");
/// assert_eq!(ErrorCode(7).to_string(), "7 (unknown code)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i64);

macro_rules! codes {
    ($($constant:ident = $code:literal, $name:literal, $retry:ident, $meaning:literal;)+) => {
        impl ErrorCode {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning, ".")]
                pub const $constant: ErrorCode = ErrorCode($code);
            )+

            /// Every code that has a name, in numeric order.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$constant),+];

            /// The name in the upstream tables, if the code is known.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($name),)+
                    _ => None,
                }
            }

            /// What the code means, if it is known.
            #[must_use]
            pub const fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($meaning),)+
                    _ => None,
                }
            }

            /// Whether repeating the call can help. Unknown codes say
            /// [`Retry::No`].
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self.0 {
                    $($code => Retry::$retry,)+
                    _ => Retry::No,
                }
            }
        }
    };
}

codes! {
    OK = 0, "FPNN_EC_OK", No, "success";
    PROTO_UNKNOWN_ERROR = 10001, "FPNN_EC_PROTO_UNKNOWN_ERROR", No, "encoding or decoding failed";
    PROTO_NOT_SUPPORTED = 10002, "FPNN_EC_PROTO_NOT_SUPPORTED", No, "protocol, encoding or version not supported";
    PROTO_INVALID_PACKAGE = 10003, "FPNN_EC_PROTO_INVALID_PACKAGE", No, "malformed package";
    PROTO_JSON_CONVERT = 10004, "FPNN_EC_PROTO_JSON_CONVERT", No, "payload is not a valid JSON object";
    PROTO_STRING_KEY = 10005, "FPNN_EC_PROTO_STRING_KEY", No, "map key is not a string";
    PROTO_MAP_VALUE = 10006, "FPNN_EC_PROTO_MAP_VALUE", No, "payload root is not a map";
    PROTO_METHOD_TYPE = 10007, "FPNN_EC_PROTO_METHOD_TYPE", No, "unknown or wrong package type";
    PROTO_PROTO_TYPE = 10008, "FPNN_EC_PROTO_PROTO_TYPE", No, "unknown payload encoding";
    PROTO_KEY_NOT_FOUND = 10009, "FPNN_EC_PROTO_KEY_NOT_FOUND", No, "required parameter missing";
    PROTO_TYPE_CONVERT = 10010, "FPNN_EC_PROTO_TYPE_CONVERT", No, "parameter has the wrong type or does not fit";
    PROTO_FILE_SIGN = 10011, "FPNN_EC_PROTO_FILE_SIGN", No, "bad signature of a file field";
    PROTO_FILE_NOT_EXIST = 10012, "FPNN_EC_PROTO_FILE_NOT_EXIST", No, "file not found";
    CORE_UNKNOWN_ERROR = 20001, "FPNN_EC_CORE_UNKNOWN_ERROR", Once, "unspecified failure";
    CORE_CONNECTION_CLOSED = 20002, "FPNN_EC_CORE_CONNECTION_CLOSED", Check, "connection ended while the call was pending";
    CORE_TIMEOUT = 20003, "FPNN_EC_CORE_TIMEOUT", Check, "no answer in time";
    CORE_UNKNOWN_METHOD = 20004, "FPNN_EC_CORE_UNKNOWN_METHOD", No, "the peer does not know the method";
    CORE_ENCODING = 20005, "FPNN_EC_CORE_ENCODING", No, "could not encode";
    CORE_DECODING = 20006, "FPNN_EC_CORE_DECODING", No, "could not decode or decrypt";
    CORE_SEND_ERROR = 20007, "FPNN_EC_CORE_SEND_ERROR", Reconnect, "writing failed";
    CORE_RECV_ERROR = 20008, "FPNN_EC_CORE_RECV_ERROR", Check, "reading failed";
    CORE_INVALID_PACKAGE = 20009, "FPNN_EC_CORE_INVALID_PACKAGE", No, "package or answer body not as expected";
    CORE_HTTP_ERROR = 20010, "FPNN_EC_CORE_HTTP_ERROR", No, "HTTP failure";
    CORE_WORK_QUEUE_FULL = 20011, "FPNN_EC_CORE_WORK_QUEUE_FULL", Later, "server overloaded; the call was not executed";
    CORE_INVALID_CONNECTION = 20012, "FPNN_EC_CORE_INVALID_CONNECTION", Reconnect, "no usable connection; the call was not sent";
    CORE_FORBIDDEN = 20013, "FPNN_EC_CORE_FORBIDDEN", No, "operation refused by the framework";
    CORE_SERVER_STOPPING = 20014, "FPNN_EC_CORE_SERVER_STOPPING", Reconnect, "server is shutting down; the call was not executed";
    CORE_CANCELLED = 20015, "FPNN_EC_CORE_CANCELLED", No, "cancelled";
    ZIP_COMPRESS = 30001, "FPNN_EC_ZIP_COMPRESS", No, "compression failed";
    ZIP_DECOMPRESS = 30002, "FPNN_EC_ZIP_DECOMPRESS", No, "decompression failed";
    INVALID_PROJECT_ID_OR_USER_ID = 200001, "RTM_EC_INVALID_PROJECT_ID_OR_USER_ID", No, "project or user id not valid";
    INVALID_PROJECT_ID_OR_SIGN = 200002, "RTM_EC_INVALID_PROJECT_ID_OR_SIGN", No, "project id or signature not valid";
    INVALID_FILE_OR_SIGN_OR_TOKEN = 200003, "RTM_EC_INVALID_FILE_OR_SIGN_OR_TOKEN", Once, "file, its signature or the file token refused; a new file token may help";
    ATTRS_WITHOUT_SIGN_OR_EXT = 200004, "RTM_EC_ATTRS_WITHOUT_SIGN_OR_EXT", No, "file attributes lack signature or extension";
    INVALID_MTYPE = 200005, "RTM_EC_INVALID_MTYPE", No, "message type not allowed";
    SAME_SIGN = 200006, "RTM_EC_SAME_SIGN", No, "signature already used";
    INVALID_FILE_MTYPE = 200007, "RTM_EC_INVALID_FILE_MTYPE", No, "message type is not a file type";
    INVALID_SERVER_TIME = 200008, "RTM_EC_INVALID_SERVER_TIME", No, "time stamp too far from the server's clock";
    API_FREQUENCY_LIMITED = 200010, "RTM_EC_API_FREQUENCY_LIMITED", Later, "too many calls";
    MESSAGE_FREQUENCY_LIMITED = 200011, "RTM_EC_MESSAGE_FREQUENCY_LIMITED", Later, "too many messages";
    KICKOUT_SELF = 200012, "RTM_EC_KICKOUT_SELF", No, "a session cannot kick itself";
    FORBIDDEN_METHOD = 200020, "RTM_EC_FORBIDDEN_METHOD", No, "method disabled for the project";
    PERMISSION_DENIED = 200021, "RTM_EC_PERMISSION_DENIED", No, "not permitted";
    UNAUTHORIZED = 200022, "RTM_EC_UNAUTHORIZED", Login, "not logged in on this connection";
    DUPLCATED_AUTH = 200023, "RTM_EC_DUPLCATED_AUTH", No, "already logged in on this connection";
    AUTH_DENIED = 200024, "RTM_EC_AUTH_DENIED", No, "user is banned from the project";
    ADMIN_LOGIN = 200025, "RTM_EC_ADMIN_LOGIN", No, "administrator ids cannot log in from a client";
    ADMIN_ONLY = 200026, "RTM_EC_ADMIN_ONLY", No, "needs an administrator id";
    INVALID_AUTH_TOEKN = 200027, "RTM_EC_INVALID_AUTH_TOEKN", Login, "token wrong or expired";
    LARGE_MESSAGE_OR_ATTRS = 200030, "RTM_EC_LARGE_MESSAGE_OR_ATTRS", No, "message or attributes too long";
    LARGE_FILE_OR_ATTRS = 200031, "RTM_EC_LARGE_FILE_OR_ATTRS", No, "file or attributes too long";
    TOO_MANY_ITEMS_IN_PARAMETERS = 200032, "RTM_EC_TOO_MANY_ITEMS_IN_PARAMETERS", No, "list too long";
    EMPTY_PARAMETER = 200033, "RTM_EC_EMPTY_PARAMETER", No, "list or value empty";
    INVALID_PARAMETER = 200034, "RTM_EC_INVALID_PARAMETER", No, "parameter not valid";
    LARGE_DATA = 200035, "RTM_EC_LARGE_DATA", No, "data too long";
    NOT_IN_ROOM = 200040, "RTM_EC_NOT_IN_ROOM", No, "not in that room";
    NOT_GROUP_MEMBER = 200041, "RTM_EC_NOT_GROUP_MEMBER", No, "not a member of that group";
    MAX_GROUP_MEMBER_COUNT = 200042, "RTM_EC_MAX_GROUP_MEMBER_COUNT", No, "group is full";
    NOT_FRIEND = 200043, "RTM_EC_NOT_FRIEND", No, "not friends";
    BANNED_IN_GROUP = 200044, "RTM_EC_BANNED_IN_GROUP", Later, "muted in the group";
    BANNED_IN_ROOM = 200045, "RTM_EC_BANNED_IN_ROOM", Later, "muted in the room";
    EMPTY_GROUP = 200046, "RTM_EC_EMPTY_GROUP", No, "group has no members";
    ENTER_TOO_MANY_ROOMS = 200047, "RTM_EC_ENTER_TOO_MANY_ROOMS", No, "in too many rooms";
    MAX_FRIEND_COUNT = 200048, "RTM_EC_MAX_FRIEND_COUNT", No, "too many friends";
    BLOCKED_USER = 200049, "RTM_EC_BLOCKED_USER", No, "blocked by the other user";
    UNSUPPORTED_LANGUAGE = 200050, "RTM_EC_UNSUPPORTED_LANGUAGE", No, "language not supported";
    EMPTY_TRANSLATION = 200051, "RTM_EC_EMPTY_TRANSLATION", No, "nothing to translate";
    SEND_TO_SELF = 200052, "RTM_EC_SEND_TO_SELF", No, "sending to oneself is not allowed";
    DUPLCATED_MID = 200053, "RTM_EC_DUPLCATED_MID", No, "message id already used";
    SENSITIVE_WORDS = 200054, "RTM_EC_SENSITIVE_WORDS", No, "refused by the word filter";
    NOT_ONLINE = 200055, "RTM_EC_NOT_ONLINE", Later, "user is not online";
    TRANSLATION_ERROR = 200056, "RTM_EC_TRANSLATION_ERROR", Once, "translation service failed";
    PROFANITY_STOP = 200057, "RTM_EC_PROFANITY_STOP", No, "refused by the profanity filter";
    NO_CONFIG_IN_CONSOLE = 200060, "RTM_EC_NO_CONFIG_IN_CONSOLE", No, "feature not enabled for the project";
    UNSUPPORTED_TRASNCRIBE_TYPE = 200061, "RTM_EC_UNSUPPORTED_TRASNCRIBE_TYPE", No, "speech type not supported";
    BLOCK_USER = 200062, "RTM_EC_BLOCK_USER", No, "the other user is on one's own block list";
    MESSAGE_NOT_FOUND = 200070, "RTM_EC_MESSAGE_NOT_FOUND", No, "no such message";
    OLD_UNKNOWN_ERROR = 200099, "RTM_EC_UNKNOWN_ERROR (2018)", Once, "unspecified";
    UNKNOWN_ERROR = 200999, "RTM_EC_UNKNOWN_ERROR", Once, "unspecified";
}

impl ErrorCode {
    /// Whether a login that fails with this code is final, so that no
    /// reconnect follows.
    ///
    /// The set is the one all newer upstream SDKs share
    /// (`highras/rtm-client-sdk-unity RTMClient.Core.cs`).
    #[must_use]
    pub const fn stops_reconnecting(self) -> bool {
        matches!(
            self,
            ErrorCode::CORE_FORBIDDEN
                | ErrorCode::INVALID_PROJECT_ID_OR_USER_ID
                | ErrorCode::INVALID_PROJECT_ID_OR_SIGN
                | ErrorCode::PERMISSION_DENIED
                | ErrorCode::AUTH_DENIED
                | ErrorCode::ADMIN_LOGIN
                | ErrorCode::ADMIN_ONLY
                | ErrorCode::INVALID_AUTH_TOEKN
                | ErrorCode::BLOCKED_USER
        )
    }
}

impl From<i64> for ErrorCode {
    fn from(code: i64) -> Self {
        ErrorCode(code)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.meaning()) {
            (Some(name), Some(meaning)) => write!(f, "{} {name} ({meaning})", self.0),
            _ => write!(f, "{} (unknown code)", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once_and_in_order() {
        let sorted = ErrorCode::ALL.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(sorted);
        let fpnn = ErrorCode::ALL
            .iter()
            .filter(|code| (1..100_000).contains(&code.0));
        assert_eq!(fpnn.count(), 29);
        let rtm = ErrorCode::ALL.iter().filter(|code| code.0 > 200_000);
        assert_eq!(rtm.count(), 48 + 1, "48 and one obsolete spelling");
    }

    #[test]
    fn stop_codes_are_the_nine_of_the_upstream_sdks() {
        let stops: alloc::vec::Vec<i64> = ErrorCode::ALL
            .iter()
            .filter(|code| code.stops_reconnecting())
            .map(|code| code.0)
            .collect();
        assert_eq!(
            stops,
            [
                20013, 200001, 200002, 200021, 200024, 200025, 200026, 200027, 200049
            ]
        );
    }
}
