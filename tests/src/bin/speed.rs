//! Holds the clients against floors, in rounds; prints two tables in Markdown.

use std::process::ExitCode;

use rtm_tests::speed::Plan;

const USAGE: &str = "usage: speed [ROUNDS [SECONDS]]

  ROUNDS   measurements of each kind, one after the other in rounds (default: 9)
  SECONDS  how long each takes (default: 1)

Build it with --release, together with the program load, and let the machine rest.";

fn main() -> ExitCode {
    let done = plan().and_then(|plan| plan.carry_out());
    match done {
        Ok(tables) => {
            println!("{}", tables.each_ref().map(ToString::to_string).join("\n"));
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            eprintln!("speed: {complaint}\n\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn plan() -> Result<Plan, String> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().unwrap_or_else(|| "9".into());
    let seconds = arguments.next().unwrap_or_else(|| "1".into());
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(Plan {
        load: this.with_file_name(format!("load{}", std::env::consts::EXE_SUFFIX)),
        rounds: rounds.parse().map_err(|_| format!("rounds: {rounds}"))?,
        seconds: seconds.parse().map_err(|_| format!("seconds: {seconds}"))?,
    })
}
