//! Files to send, read into memory.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use rtm_proto::MessageType;
use rtm_proto::api::{MAX_FILE_LEN, Recipient, SendFile};

/// A request that sends the file at `path`, with its name.
///
/// # Errors
///
/// [`ErrorKind::FileTooLarge`] above [`MAX_FILE_LEN`], before anything is
/// read; otherwise what the file system says.
pub fn from_path(
    to: impl Into<Recipient>,
    message_type: impl Into<MessageType>,
    path: impl AsRef<Path>,
) -> Result<SendFile> {
    let path = path.as_ref();
    let file = File::open(path)?;
    if file.metadata()?.len() > MAX_FILE_LEN as u64 {
        return Err(too_large());
    }
    let request = from_reader(to, message_type, file)?;
    Ok(match path.file_name() {
        Some(name) => request.name(name.to_string_lossy()),
        None => request,
    })
}

/// A request that sends all that `reader` gives.
///
/// # Errors
///
/// [`ErrorKind::FileTooLarge`] once it has given more than [`MAX_FILE_LEN`];
/// otherwise what the reader says.
pub fn from_reader(
    to: impl Into<Recipient>,
    message_type: impl Into<MessageType>,
    reader: impl Read,
) -> Result<SendFile> {
    let mut content = Vec::new();
    let mut limited = reader.take(MAX_FILE_LEN as u64 + 1);
    limited.read_to_end(&mut content)?;
    if content.len() > MAX_FILE_LEN {
        return Err(too_large());
    }
    Ok(SendFile::new(to, message_type, content))
}

fn too_large() -> Error {
    let why = format!("the service takes files of up to {MAX_FILE_LEN} bytes");
    Error::new(ErrorKind::FileTooLarge, why)
}
