//! The little HTTP that a file gate's URLs need.

/// Where files are.
pub(crate) const FILES: &str = "/files/";

/// The file that a complete request head asks for; `None` if it asks for something else.
pub(crate) fn wanted_file(head: &[u8]) -> Option<&str> {
    let head = std::str::from_utf8(head).ok()?;
    let target = head.split([' ', '\r']).nth(1)?;
    target.strip_prefix(FILES)
}

/// A response that closes the connection: the file, or that there is none.
pub(crate) fn file_response(content: Option<&[u8]>) -> Vec<u8> {
    let (status, kind, body) = match content {
        Some(content) => ("200 OK", "application/octet-stream", content),
        None => ("404 Not Found", "text/plain", &b"no such file\n"[..]),
    };
    let len = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_below_files_ask_for_files() {
        assert_eq!(
            wanted_file(b"GET /files/1.png HTTP/1.1\r\n\r\n"),
            Some("1.png")
        );
        assert_eq!(wanted_file(b"GET /files/ HTTP/1.1\r\n\r\n"), Some(""));
        assert_eq!(wanted_file(b"GET /files HTTP/1.1\r\n\r\n"), None);
        assert_eq!(
            wanted_file(b"GET /service/websocket HTTP/1.1\r\n\r\n"),
            None
        );
        assert_eq!(wanted_file(b"GET \r\n/files/1 \r\n\r\n"), None);
        assert_eq!(wanted_file(b"GET /files/\xff HTTP/1.1\r\n\r\n"), None);
    }
}
