//! What a run has counted, as bytes.

use super::bytes::{Bytes, Reader};
use crate::fault::{BuggifyCount, FaultKind, KindCount};
use crate::oracle::{self, Details, Guidance, Kept, Number, PropertyCount};

pub(super) fn add_fault(bytes: &mut Bytes, count: &KindCount) {
    let KindCount { kind, planned, begun, fired } = count;
    let position = FaultKind::ALL.iter().position(|listed| listed == kind);
    let position = position.expect("all kinds are listed") as u64;
    bytes.numbers([position, *planned, *begun, *fired]);
}

pub(super) fn read_fault(reader: &mut Reader<'_>) -> Option<KindCount> {
    let kind = *FaultKind::ALL.get(usize::try_from(reader.number()?).ok()?)?;
    let [planned, begun, fired] = [reader.number()?, reader.number()?, reader.number()?];
    Some(KindCount { kind, planned, begun, fired })
}

pub(super) fn add_buggified(bytes: &mut Bytes, count: &BuggifyCount) {
    let (name, key) = count.names();
    bytes.text(name);
    bytes.text(key);
    bytes.numbers([u64::from(count.is_active()), count.fired()]);
}

pub(super) fn read_buggified(reader: &mut Reader<'_>) -> Option<BuggifyCount> {
    let names = (reader.name()?, reader.name()?);
    let (is_active, fired) = (reader.number()? == 1, reader.number()?);
    Some(BuggifyCount::of_names(names, is_active, fired))
}

/// Adds the counts of a property, by its place in the catalogue, which is the same in all processes.
pub(super) fn add_property(bytes: &mut Bytes, count: &PropertyCount) {
    let position = oracle::position(count.property()).map_or(u64::MAX, |it| it as u64);
    bytes.numbers([position, count.held(), count.failed()]);
    bytes.option(count.kept(), |bytes, kept| {
        bytes.option(kept.first_held.as_ref(), add_details);
        bytes.option(kept.first_failed.as_ref(), add_details);
        bytes.option(kept.guidance.as_ref(), add_guidance);
    });
}

/// Reads the counts of a property; none of one that is not in the catalogue.
pub(super) fn read_property(reader: &mut Reader<'_>) -> Option<Option<PropertyCount>> {
    let [position, held, failed] = [reader.number()?, reader.number()?, reader.number()?];
    let kept = reader.option(|reader| {
        let first_held = reader.option(read_details)?;
        let first_failed = reader.option(read_details)?;
        Some(Kept { first_held, first_failed, guidance: reader.option(read_guidance)? })
    })?;
    let property = usize::try_from(position).ok().and_then(oracle::at);
    Some(property.map(|property| PropertyCount::new(property, (held, failed), kept)))
}

fn add_details(bytes: &mut Bytes, details: &Details) {
    bytes.list(details.iter().collect::<Vec<_>>(), |bytes, (name, value)| {
        bytes.text(name);
        bytes.text(value);
    });
}

fn read_details(reader: &mut Reader<'_>) -> Option<Details> {
    reader.list(|reader| Some((reader.name()?, reader.text()?))).map(Details::of_list)
}

fn add_guidance(bytes: &mut Bytes, guidance: &Guidance) {
    match guidance {
        Guidance::Numbers { left, right } => {
            bytes.number(0);
            [left, right].into_iter().for_each(|number| add_number(bytes, *number));
        }
        Guidance::Conditions(list) => {
            bytes.number(1);
            bytes.list(list, |bytes, (name, is_true)| {
                bytes.text(name);
                bytes.number(u64::from(*is_true));
            });
        }
    }
}

fn read_guidance(reader: &mut Reader<'_>) -> Option<Guidance> {
    Some(match reader.number()? {
        0 => Guidance::Numbers { left: read_number(reader)?, right: read_number(reader)? },
        _ => Guidance::Conditions(
            reader.list(|reader| Some((reader.name()?, reader.number()? == 1)))?,
        ),
    })
}

fn add_number(bytes: &mut Bytes, number: Number) {
    let (kind, text) = match number {
        Number::Whole(whole) => (0, whole.to_string()),
        // By its bits, as text of it might lose some.
        Number::Real(real) => (1, real.to_bits().to_string()),
    };
    bytes.number(kind);
    bytes.text(&text);
}

fn read_number(reader: &mut Reader<'_>) -> Option<Number> {
    let (kind, text) = (reader.number()?, reader.text()?);
    Some(match kind {
        0 => Number::Whole(text.parse().ok()?),
        _ => Number::Real(f64::from_bits(text.parse().ok()?)),
    })
}
