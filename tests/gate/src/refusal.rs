use crate::wire::Value;

/// Why a quest was refused: what the error answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn code(code: i64) -> Self {
        let text = name(code).to_owned();
        Self { code, text }
    }

    pub(crate) fn missing(key: &str) -> Self {
        Self {
            code: 10009,
            text: format!("key {key} not found"),
        }
    }

    pub(crate) fn wrong_type(key: &str) -> Self {
        Self {
            code: 10010,
            text: format!("key {key} has the wrong type"),
        }
    }

    pub(crate) fn unknown_method(method: &str) -> Self {
        Self {
            code: 20004,
            text: format!("unknown method {method}"),
        }
    }

    pub(crate) fn payload(&self) -> Value {
        Value::map([
            ("code", self.code.into()),
            ("ex", self.text.as_str().into()),
        ])
    }
}

/// The names of the RTM codes, after the table of the JavaScript SDK (`highras/rtm-client-sdk-webjs src/rtm/RTMConfig.js`)
/// and, for newer codes, the Unity SDK (`highras/rtm-client-sdk-unity ErrorCode.cs`).
fn name(code: i64) -> &'static str {
    match code {
        20001 => "FPNN_EC_CORE_UNKNOWN_ERROR",
        20004 => "FPNN_EC_CORE_UNKNOWN_METHOD",
        20011 => "FPNN_EC_CORE_WORK_QUEUE_FULL",
        20013 => "FPNN_EC_CORE_FORBIDDEN",
        20014 => "FPNN_EC_CORE_SERVER_STOPPING",
        200001 => "RTM_EC_INVALID_PROJECT_ID_OR_USER_ID",
        200003 => "RTM_EC_INVALID_FILE_OR_SIGN_OR_TOKEN",
        200004 => "RTM_EC_ATTRS_WITHOUT_SIGN_OR_EXT",
        200005 => "RTM_EC_INVALID_MTYPE",
        200007 => "RTM_EC_INVALID_FILE_MTYPE",
        200010 => "RTM_EC_API_FREQUENCY_LIMITED",
        200012 => "RTM_EC_KICKOUT_SELF",
        200021 => "RTM_EC_PERMISSION_DENIED",
        200022 => "RTM_EC_UNAUTHORIZED",
        200023 => "RTM_EC_DUPLCATED_AUTH",
        200024 => "RTM_EC_AUTH_DENIED",
        200030 => "RTM_EC_LARGE_MESSAGE_OR_ATTRS",
        200031 => "RTM_EC_LARGE_FILE_OR_ATTRS",
        200032 => "RTM_EC_TOO_MANY_ITEMS_IN_PARAMETERS",
        200033 => "RTM_EC_EMPTY_PARAMETER",
        200034 => "RTM_EC_INVALID_PARAMETER",
        200035 => "RTM_EC_LARGE_DATA",
        200040 => "RTM_EC_NOT_IN_ROOM",
        200041 => "RTM_EC_NOT_GROUP_MEMBER",
        200042 => "RTM_EC_MAX_GROUP_MEMBER_COUNT",
        200044 => "RTM_EC_BANNED_IN_GROUP",
        200045 => "RTM_EC_BANNED_IN_ROOM",
        200047 => "RTM_EC_ENTER_TOO_MANY_ROOMS",
        200048 => "RTM_EC_MAX_FRIEND_COUNT",
        200050 => "RTM_EC_UNSUPPORTED_LANGUAGE",
        200051 => "RTM_EC_EMPTY_TRANSLATION",
        200052 => "RTM_EC_SEND_TO_SELF",
        200053 => "RTM_EC_DUPLCATED_MID",
        200057 => "RTM_EC_PROFANITY_STOP",
        200070 => "RTM_EC_MESSAGE_NOT_FOUND",
        _ => "RTM_EC_UNKNOWN_ERROR",
    }
}
