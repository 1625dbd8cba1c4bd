//! What must hold of the core whatever it is given: properties over generated
//! inputs, and what fuzzing found.

mod found;
mod history;
mod methods;
mod peer;
mod repetitions;
mod story;
mod ticks;
mod timing;
