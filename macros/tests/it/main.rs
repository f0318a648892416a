//! What the attributes write compiles and does what the options say, against a stand-in for the
//! library that only records its calls. The crate `parcae` tests the attributes with the real one.

mod stand_in;
mod written;
mod written_main;
