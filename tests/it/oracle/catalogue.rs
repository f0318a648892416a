//! Places that no run has come to, known from the linker.

use parcae::explore::Check;

mod asked {
    pub(super) async fn program(is_reached: bool) {
        if is_reached {
            parcae::reachable!("asked: reached");
            parcae::always!(true, "asked: it holds");
        }
        if parcae::Backend::current().is_none() {
            inner::never();
            parcae::sometimes!(true, "asked: sometimes");
            parcae::always_or_unreached!(true, "asked: need not be reached");
            parcae::unreachable!("asked: must not be reached");
        }
    }

    pub(super) mod inner {
        pub(super) fn never() {
            parcae::reachable!("asked: inner");
        }
    }
}

/// A module whose path begins with that of another one.
mod asked_not {
    pub(super) fn never() {
        parcae::reachable!("asked not");
    }
}

fn unmet(module: Option<&str>, is_reached: bool) -> (Vec<&'static str>, bool) {
    let mut check = Check::new("catalogue").seeds(100);
    if let Some(module) = module {
        check = check.expect_properties_of(module);
    }
    let report = check.run(move || async move {
        asked::program(is_reached).await;
        if parcae::Backend::current().is_none() {
            asked_not::never();
        }
    });
    let unmet = report.unmet().iter().map(|summary| summary.property().message()).collect();
    (unmet, report.is_ok())
}

#[test]
fn without_being_asked_a_check_knows_only_what_it_came_to() {
    assert_eq!(unmet(None, true), (vec![], true));
    assert_eq!(unmet(None, false), (vec![], true));
}

#[test]
fn of_a_module_that_is_asked_for_every_place_has_to_be_met() {
    let module = concat!(module_path!(), "::asked");
    let never = vec!["asked: sometimes", "asked: inner"];
    assert_eq!(unmet(Some(module), true), (never.clone(), false));
    let more = vec!["asked: reached", "asked: it holds"];
    assert_eq!(unmet(Some(module), false), ([more, never].concat(), false));
    let inner = concat!(module_path!(), "::asked::inner");
    assert_eq!(unmet(Some(inner), true), (vec!["asked: inner"], false));
    let nothing = concat!(module_path!(), "::aske");
    assert_eq!(unmet(Some(nothing), true), (vec![], true));
}
