//! What the attribute writes compiles and does what the options say, against a stand-in for the
//! library that only records its calls. The crate `parcae` tests the attribute with the real one.

mod stand_in;
mod written;
