//! Evaluating a property: what every macro comes to.

use super::details::Details;
use super::property::Property;
#[cfg(feature = "simulation")]
use super::tally::Tally;
use crate::backend;
use crate::context;
use crate::kernel::Violation;

/// Counts an evaluation, and fails the run if the condition is false and its kind says so.
#[inline]
pub fn judge(property: &'static Property, condition: bool, details: impl FnOnce(&mut Details)) {
    #[cfg(feature = "simulation")]
    if context::with(|tally: &Tally| tally.count(property, condition)) == Some(true) {
        return keep(property, condition, details);
    }
    if !condition && property.kind().fails_at_once() {
        violate(property, details);
    }
}

/// Keeps the details of the first evaluation of its kind in this run.
#[cfg(feature = "simulation")]
#[cold]
fn keep(property: &'static Property, condition: bool, details: impl FnOnce(&mut Details)) {
    let mut filled = Details::default();
    details(&mut filled);
    let _ = context::with(|tally: &Tally| tally.keep(property, condition, filled.clone()));
    if !condition && property.kind().fails_at_once() {
        violate(property, |details| *details = filled);
    }
}

#[cold]
fn violate(property: &'static Property, details: impl FnOnce(&mut Details)) {
    if context::Backend::current().is_none() {
        return;
    }
    let mut filled = Details::default();
    details(&mut filled);
    let place = Some(property.place());
    let violation = Violation::new(property.kind().name(), property.message(), place);
    backend::violate(violation.with_details(filled.into_list()));
}
