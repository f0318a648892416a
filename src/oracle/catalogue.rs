//! All properties of the program, known when it is linked: also those that no run has come to.
//!
//! Each macro leaves a reference in a section of the binary. The order in it is the linker's, so nobody
//! reads it without sorting.

use super::property::Property;

/// The properties of all crates in this binary.
#[linkme::distributed_slice]
pub static PROPERTIES: [&'static Property];

/// Returns the properties of a module and of those inside of it, in the order of files and lines.
#[cfg(feature = "simulation")]
pub(crate) fn under(module: &str) -> Vec<&'static Property> {
    let is_under = |property: &&&'static Property| {
        let rest = property.module().strip_prefix(module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let mut found: Vec<&'static Property> = PROPERTIES.iter().filter(is_under).copied().collect();
    found.sort_by_key(|property| property.order());
    found
}

/// Returns the place of a property in the catalogue: the same one in all processes of one binary.
#[cfg(feature = "simulation")]
pub(crate) fn position(property: &Property) -> Option<usize> {
    PROPERTIES.iter().position(|listed| std::ptr::eq(*listed, property))
}

/// Returns the property at a place.
#[cfg(feature = "simulation")]
pub(crate) fn at(position: usize) -> Option<&'static Property> {
    PROPERTIES.get(position).copied()
}
