//! Rare branches taken on purpose.

#[cfg(all(feature = "simulation", target_os = "linux"))]
use std::collections::BTreeMap;
#[cfg(feature = "simulation")]
use std::panic::Location;
#[cfg(all(feature = "simulation", target_os = "linux"))]
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "simulation")]
use super::run::FaultRun;
#[cfg(feature = "simulation")]
use crate::context;
#[cfg(feature = "simulation")]
use crate::context::{Numbered, Numbers};
use crate::kernel::Ratio;
#[cfg(feature = "simulation")]
use crate::kernel::Site;

/// True now and then in a simulation, to take a branch that is rare otherwise.
///
/// ```text
/// buggify!()                            a place known by file, line and column
/// buggify!("slow disk")                 a place known by module and label
/// buggify!("slow disk", Ratio)          one that fires with this probability when it is active
/// ```
///
/// Give it a label: without one, lines that move change what a seed does, and a failure has no name for
/// it. Two places with one label in one module are one place. It is false on real time and outside of any
/// runtime. How often it is true: see [`fault`](crate::fault).
///
/// # Determinism
/// Draws, in each run, once for all places, once for each place, and at one that is active each time, of
/// the running task. The default of all of them is false.
///
/// # Examples
/// ```
/// use parcae::kernel::Ratio;
///
/// /// Reads as much as there is, or less, as the system may do it.
/// fn read(there: &[u8], into: &mut [u8]) -> usize {
///     let mut count = there.len().min(into.len());
///     if count > 1 && parcae::buggify!("short read", Ratio::percent(50)) {
///         count = 1;
///     }
///     into[..count].copy_from_slice(&there[..count]);
///     count
/// }
///
/// let report = parcae::explore::Check::new("reads").seeds(200).run(|| async {
///     let mut buffer = [0; 4];
///     assert_eq!(read(b"four", &mut buffer), 4, "whoever reads has to go on until all is there");
/// });
/// let finding = report.finding().expect("in every tenth run");
/// assert_eq!(finding.world().overrides.len(), 1, "one short read is enough");
/// assert_eq!(finding.buggified()[0].fired(), 1);
/// assert_eq!(read(b"four", &mut [0; 4]), 4);
/// ```
#[macro_export]
macro_rules! buggify {
    () => {{
        static PLACE: $crate::fault::BuggifyPlace = $crate::fault::BuggifyPlace::new(
            ::std::concat!("buggify at ", ::std::file!(), ":", ::std::line!()),
            ::std::concat!(::std::file!(), ":", ::std::line!(), ":", ::std::column!()),
        );
        $crate::fault::written::fires(&PLACE, ::std::option::Option::None)
    }};
    ($label:literal $(, $probability:expr)? $(,)?) => {{
        static PLACE: $crate::fault::BuggifyPlace = $crate::fault::BuggifyPlace::new(
            ::std::concat!("buggify `", $label, "`"),
            ::std::concat!(::std::module_path!(), " ", $label),
        );
        let mut _probability = ::std::option::Option::None;
        $(_probability = ::std::option::Option::Some($probability);)?
        $crate::fault::written::fires(&PLACE, _probability)
    }};
}

/// A place of [`buggify!`](crate::buggify!) in a program.
#[derive(Debug)]
pub struct BuggifyPlace {
    name: &'static str,
    #[cfg(feature = "simulation")]
    key: &'static str,
    #[cfg(feature = "simulation")]
    number: Numbered,
}

impl BuggifyPlace {
    /// Makes the static of a macro.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, key: &'static str) -> Self {
        #[cfg(not(feature = "simulation"))]
        let _ = key;
        Self {
            name,
            #[cfg(feature = "simulation")]
            key,
            #[cfg(feature = "simulation")]
            number: Numbered::new(),
        }
    }

    /// Returns what reports call it: ``buggify `slow disk` ``, or with file and line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what tells it from others.
    #[cfg(feature = "simulation")]
    pub(super) fn key(&self) -> &'static str {
        self.key
    }

    /// Returns one of these names that is as good as that of the program, for counts of another process.
    #[cfg(all(feature = "simulation", target_os = "linux"))]
    pub(super) fn of_names((name, key): (&'static str, &'static str)) -> &'static Self {
        type Names = (&'static str, &'static str);
        static PLACES: Mutex<BTreeMap<Names, &'static BuggifyPlace>> = Mutex::new(BTreeMap::new());
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        // As many as the program has, and no more.
        places.entry((name, key)).or_insert_with(|| Box::leak(Box::new(Self::new(name, key))))
    }

    #[cfg(feature = "simulation")]
    pub(super) fn site(&self) -> Site {
        Site::keyed(self.name, self.key)
    }

    #[inline]
    #[cfg(feature = "simulation")]
    pub(super) fn index(&self) -> usize {
        self.number.index(&NUMBERS)
    }
}

#[cfg(feature = "simulation")]
static NUMBERS: Numbers = Numbers::new();

/// Tells whether a place fires.
#[inline]
#[track_caller]
#[must_use]
pub fn fires(place: &'static BuggifyPlace, probability: Option<Ratio>) -> bool {
    #[cfg(feature = "simulation")]
    {
        let at = Location::caller();
        context::with(|run: &FaultRun| run.fires(place, probability, at)) == Some(true)
    }
    #[cfg(not(feature = "simulation"))]
    {
        let _ = (place, probability);
        false
    }
}
