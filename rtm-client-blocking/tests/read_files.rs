//! Files read by the adapter.

#[test]
fn files_are_read_with_their_names_and_refused_above_the_limit() {
    use rtm_client_blocking::UserId;
    use rtm_client_blocking::api::{MAX_FILE_LEN, SendFile};
    use rtm_client_blocking::file;

    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (small, large) = (folder.join("small.png"), folder.join("large.bin"));
    std::fs::write(&small, b"content").unwrap();
    std::fs::write(&large, vec![0; MAX_FILE_LEN + 1]).unwrap();
    {
        let read = file::from_path(UserId(1), 40, &small).unwrap();
        assert_eq!(
            read,
            SendFile::new(UserId(1), 40, &b"content"[..]).name("small.png")
        );
        let error = file::from_path(UserId(1), 40, &large).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
        let error = file::from_path(UserId(1), 40, folder.join("none")).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        let endless = std::io::repeat(7);
        let error = file::from_reader(UserId(1), 40, endless).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
    }
}
