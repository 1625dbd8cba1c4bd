//! Measures a client against a running service, or serves answers that cost
//! next to nothing; prints one JSON line.

use std::io;
use std::process::ExitCode;

use rtm_tests::load::{FixedService, Task, USAGE, run};

fn main() -> ExitCode {
    let task = match Task::parse(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(complaint) => {
            eprintln!("load: {complaint}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let done = match task {
        Task::Help => {
            println!("{USAGE}");
            Ok(())
        }
        Task::ServeFixed(port) => serve(port).map_err(|error| error.to_string()),
        Task::Measure(options) => run(&options).map(|figures| println!("{figures}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("load: {complaint}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16) -> io::Result<()> {
    let service = FixedService::bind(port)?;
    println!("{}", service.endpoints());
    service.serve()
}
