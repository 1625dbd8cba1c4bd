//! Files read by the adapter.

#[test]
fn files_are_read_with_their_names_and_refused_above_the_limit() {
    use rtm_client_async_std::UserId;
    use rtm_client_async_std::api::{MAX_FILE_LEN, SendFile};
    use rtm_client_async_std::file;

    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (small, large) = (folder.join("small.png"), folder.join("large.bin"));
    std::fs::write(&small, b"content").unwrap();
    std::fs::write(&large, vec![0; MAX_FILE_LEN + 1]).unwrap();
    futures::executor::block_on(async {
        let read = file::from_path(UserId(1), 40, &small).await.unwrap();
        assert_eq!(
            read,
            SendFile::new(UserId(1), 40, &b"content"[..]).name("small.png")
        );
        let error = file::from_path(UserId(1), 40, &large).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
        let error = file::from_path(UserId(1), 40, folder.join("none"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        let endless = futures::io::repeat(7);
        let error = file::from_reader(UserId(1), 40, endless).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
    });
}
