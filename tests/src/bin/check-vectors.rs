//! Runs the records of a vectors folder against a client.

use std::path::PathBuf;
use std::process::ExitCode;

use rtm_tests::runtime::Runtime;
use rtm_tests::vectors::run;

const USAGE: &str = "usage: check-vectors DIR [--runtime R]

  DIR            a folder with client-frames.json, push-frames.json, answer-frames.json, tcp-frames.json;
                 files that are missing are passed over
  --runtime R    the client to judge: tokio (default), async-std, smol, blocking";

fn main() -> ExitCode {
    let (dir, runtime) = match parse(std::env::args().skip(1)) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("check-vectors: {complaint}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&dir, runtime) {
        Ok(report) => {
            println!("{report}");
            ExitCode::from(u8::from(!report.is_success()))
        }
        Err(complaint) => {
            eprintln!("check-vectors: {complaint}");
            ExitCode::from(2)
        }
    }
}

/// Reads the command line; `None` is a wish for help.
fn parse(
    mut arguments: impl Iterator<Item = String>,
) -> Result<Option<(PathBuf, Runtime)>, String> {
    let (mut dir, mut runtime) = (None, Runtime::default());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--runtime" => runtime = arguments.next().ok_or("--runtime needs a value")?.parse()?,
            flag if flag.starts_with('-') => return Err(format!("unknown argument {flag}")),
            _ if dir.is_some() => return Err(format!("one folder is enough: {argument}")),
            _ => dir = Some(PathBuf::from(argument)),
        }
    }
    Ok(Some((dir.ok_or("no folder was given")?, runtime)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Option<(PathBuf, Runtime)>, String> {
        parse(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn a_folder_is_enough() {
        let expected = Some(("v".into(), Runtime::Tokio));
        assert_eq!(parsed(&["v"]), Ok(expected.clone()));
        assert_eq!(parsed(&["--runtime", "tokio", "v"]), Ok(expected));
        assert_eq!(parsed(&["-h"]), Ok(None));
    }

    #[test]
    fn bad_arguments_are_named() {
        for (arguments, part) in [
            (&[][..], "no folder"),
            (&["--runtime"], "needs a value"),
            (&["v", "--runtime", "x"], "unknown runtime x"),
            (&["v", "--all"], "unknown argument --all"),
            (&["v", "w"], "one folder"),
        ] {
            assert!(
                parsed(arguments).unwrap_err().contains(part),
                "{arguments:?}"
            );
        }
    }
}
