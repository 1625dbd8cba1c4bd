//! Every method both ways: what a request writes, `rmpv` reads to its fields,
//! and what `rmpv` writes, the response is read from.

mod check;
mod files;
mod forms;
mod history;
mod messages;
mod people;
mod places;
mod session;
mod tools;
mod values;

use rtm_proto::api::METHODS;

/// A property for each method; it fails if it does not check both ways.
macro_rules! methods {
    ($($name:literal => $test:ident |$method:ident| ($($parm:pat in $strategy:expr),+ $(,)?) $body:block)+) => {
        pub(super) const ROWS: &[&str] = &[$($name),+];

        proptest::proptest! {
            $(#[test]
            fn $test($($parm in $strategy),+) {
                let $method = $crate::methods::check::Method::new($name);
                $body
                $method.done();
            })+
        }
    };
}
use methods;

#[test]
fn every_method_has_a_property() {
    let areas = [
        files::ROWS,
        history::ROWS,
        messages::ROWS,
        people::ROWS,
        places::ROWS,
        session::ROWS,
        tools::ROWS,
    ];
    let mut rows = areas.concat();
    rows.sort_unstable();
    let mut all = METHODS.to_vec();
    all.sort_unstable();
    assert_eq!(rows, all);
}
