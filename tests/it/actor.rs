//! Tests of `parcae::actor`.

mod supervisor;
