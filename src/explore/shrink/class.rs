//! What a choice is about, and in which order that is left out: what is hardest to explain goes first.

use std::collections::BTreeMap;

use crate::executor::{Log, LoggedDraw, SCHEDULE};
use crate::fault::{StrikePart, strike_part};
use crate::kernel::{Key, Overrides, Site};

/// What a choice is about. In order: those that a failure is freed of first come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::explore) enum Class {
    /// A rare branch of the program's is taken.
    Buggify,
    /// A fault of a chaos happens. When, how long and at whom is drawn only then, so that all of it goes with this one.
    Strike,
    /// A message to an actor is lost, late, copied, or overtaken.
    Message,
    /// Something happens to one packet, one read or one look-up.
    Packet,
    /// A detail of one of those.
    Detail,
    /// A limit or time that each run sets anew.
    Knob,
    /// What the program itself has drawn: how many clients there are, what they do.
    Workload,
    /// How long something takes.
    Latency,
    /// Which of several that are ready is taken.
    Turn,
    /// Who goes on.
    Schedule,
}

impl Class {
    pub(super) const ALL: [Self; 10] = [
        Self::Buggify,
        Self::Strike,
        Self::Message,
        Self::Packet,
        Self::Detail,
        Self::Knob,
        Self::Workload,
        Self::Latency,
        Self::Turn,
        Self::Schedule,
    ];

    /// Tells whether a choice of this class is one fault, if it has not its default value.
    pub(in crate::explore) fn is_fault(self) -> bool {
        matches!(self, Self::Buggify | Self::Strike | Self::Message | Self::Packet)
    }

    /// Returns the class of a drawn choice.
    ///
    /// A label of the program's that is the name of a nemesis is taken for that. It changes in which order
    /// choices are left out, and nothing else.
    pub(in crate::explore) fn of_draw(drawn: &LoggedDraw) -> Self {
        let (name, key) = (drawn.site, drawn.draw.key);
        if key.site == Site::new(name).id() {
            return Self::of_built_in(name);
        }
        if let Some(part) = strike_part(name) {
            return match part {
                StrikePart::Whether => Self::Strike,
                StrikePart::Message => Self::Message,
                StrikePart::Detail => Self::Detail,
            };
        }
        if name.starts_with(BUGGIFY) && key.site != Site::label(name).id() {
            return Self::Buggify;
        }
        Self::Workload
    }

    fn of_built_in(name: &str) -> Self {
        match name {
            "loss" | "duplicate" | "reorder" | "corrupt" | "overflow victim" | "short read"
            | "short write" | "dns failure" => Self::Packet,
            "duplicate delay"
            | "reorder delay"
            | "corrupt bit"
            | "short read bytes"
            | "short write bytes"
            | "clock step"
            | "buggify in this run"
            | "buggify active" => Self::Detail,
            "latency" | "latency family" | "pace" | "pace changes" | "pair offset"
            | "dns delay" | "restart delay" => Self::Latency,
            "select" | "race" => Self::Turn,
            "knob" => Self::Knob,
            _ => Self::Workload,
        }
    }
}

/// The classes of the choices of one run.
#[derive(Clone, Debug, Default)]
pub(in crate::explore) struct Classes {
    by_key: BTreeMap<Key, Class>,
}

impl Classes {
    /// Finds the class of each choice that a world overrides; `log` is of its run.
    pub(in crate::explore) fn of(overrides: &Overrides, log: &Log) -> Self {
        let is_asked_for = |drawn: &&LoggedDraw| overrides.contains_key(&drawn.draw.key);
        let drawn = log.draws.iter().filter(is_asked_for);
        Self { by_key: drawn.map(|drawn| (drawn.draw.key, Class::of_draw(drawn))).collect() }
    }

    /// Returns the class of a choice.
    pub(in crate::explore) fn of_key(&self, key: &Key) -> Class {
        if key.site == SCHEDULE.id() {
            return Class::Schedule;
        }
        self.by_key.get(key).copied().unwrap_or(Class::Workload)
    }
}

/// How the names of places begin that fire now and then.
const BUGGIFY: &str = "buggify ";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Class;
    use crate::executor::LoggedDraw;
    use crate::explore::{Sim, Strategy};
    use crate::fault::{Chaos, Nemesis};
    use crate::kernel::{Draw, Key, Site, Source, Space, StreamId};
    use crate::world::nodes;

    fn class(site: Site, name: &'static str) -> Class {
        let key = Key::new(StreamId::ROOT, site, 0);
        let space = Space::Index { count: 2 };
        let draw = Draw { key, space, value: 1, source: Source::Filled };
        Class::of_draw(&LoggedDraw { draw, site: name, location: None, entry: 0 })
    }

    #[test]
    fn whatever_the_world_draws_has_a_class_and_none_is_the_programs() {
        let outcome = Sim::builder().log(true).build().unwrap().run(|| async {
            drop(nodes("kv", 2).idle());
        });
        let phrases = outcome.log().unwrap().phrases;
        let sites: Vec<Site> =
            phrases.iter().flat_map(|phrases| phrases.draws).map(|phrase| phrase.site).collect();
        assert!(sites.len() > 14, "{sites:?}");
        for site in sites {
            assert_ne!(class(site, site.name()), Class::Workload, "{site:?}");
        }
    }

    #[test]
    fn whatever_a_chaos_draws_is_a_strike_or_a_detail_of_one() {
        for seed in 0..20 {
            let sim = Sim::builder().seed(seed).strategy(Strategy::Random).log(true);
            let outcome = sim.build().unwrap().run(|| async {
                let nodes = nodes("kv", 5).idle();
                let every = |nemesis: Nemesis| nemesis.every(Duration::from_secs(1));
                let mut chaos = Chaos::on(nodes).during(Duration::from_secs(20));
                for nemesis in Nemesis::all() {
                    chaos = chaos.nemesis(every(nemesis));
                }
                drop(chaos.start().liveness());
            });
            let log = outcome.log().unwrap();
            for drawn in &log.draws {
                let class = Class::of_draw(drawn);
                assert!(matches!(class, Class::Strike | Class::Detail), "{} {class:?}", drawn.site);
            }
            let names: Vec<&str> = Nemesis::all().iter().map(Nemesis::name).collect();
            let is_whether = |drawn: &&LoggedDraw| Class::of_draw(drawn) == Class::Strike;
            let mut strikes = log.draws.iter().filter(is_whether);
            assert!(
                strikes.all(|drawn| names.contains(&drawn.site)
                    || drawn.site == "machines outside of the core")
            );
        }
    }

    #[test]
    fn a_label_of_the_programs_is_no_choice_of_the_worlds() {
        assert_eq!(class(Site::new("duplicate"), "duplicate"), Class::Packet);
        assert_eq!(class(Site::label("duplicate"), "duplicate"), Class::Workload);
        assert_eq!(class(Site::label("buggify `x`"), "buggify `x`"), Class::Workload);
        assert_eq!(class(Site::keyed("buggify `x`", "m x"), "buggify `x`"), Class::Buggify);
    }
}
