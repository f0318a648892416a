//! Properties as lines of JSON, in the format of the SDK of Antithesis, protocol 1.1.0.

use parcae::explore::Check;
use parcae::report::{append_properties, properties_json};

const MODULE: &str = module_path!();
const FIRST_LINE: u32 = line!() + 2;
async fn program() {
    let number = parcae::choose(0..10_i64);
    parcae::always!(number >= 0, "never negative", number, text = "a \"quoted\"\n text");
    parcae::sometimes!(number == 9, "nine", number);
    parcae::always_less_than!(number, 10, "small");
    parcae::sometimes_all!({ even: number % 2 == 0, three: number % 3 == 0 }, "six or zero");
    parcae::reachable!("here");
    parcae::always_or_unreached!(number < 10, "in its range");
    if number > 9 {
        parcae::unreachable!("more than nine");
    }
}

/// Returns the members that say which property it is, on the line of the program with this number.
fn identity(message: &str, line: u32) -> String {
    let file = file!();
    let line = FIRST_LINE + line;
    format!(
        r#""id":"{message}","message":"{message}","location":{{"class":"{MODULE}","function":"{MODULE}::program","file":"{file}","begin_line":{line},"begin_column":5}}"#
    )
}

/// A line of the catalogue, and those of evaluations, as the SDK writes them.
fn assertion(
    kinds: [&str; 2],
    must_hit: bool,
    hit: Option<(bool, &str)>,
    identity: &str,
) -> String {
    let [assert_type, display_type] = kinds;
    let (condition, details) = hit.unwrap_or((false, "null"));
    let hit = hit.is_some();
    format!(
        r#"{{"antithesis_assert":{{"assert_type":"{assert_type}","display_type":"{display_type}","condition":{condition},"hit":{hit},"must_hit":{must_hit},{identity},"details":{details}}}}}"#
    )
}

/// A line of the catalogue without data, and one of an evaluation.
fn guidance(kind: &str, identity: &str, is_maximized: bool, data: Option<&str>) -> String {
    let (hit, data) = (data.is_some(), data.unwrap_or("null"));
    format!(
        r#"{{"antithesis_guidance":{{"guidance_type":"{kind}",{identity},"maximize":{is_maximized},"guidance_data":{data},"hit":{hit}}}}}"#
    )
}

#[test]
fn the_lines_are_those_of_the_sdk() {
    let report = Check::new("json").seeds(100).jobs(3).property_details(true).run(program);
    let first = |is_wanted: fn(u64) -> bool| {
        let seeds = 0..100;
        let number = |seed| parcae::Sim::new(seed).run(|| async { parcae::choose(0..10_u64) });
        seeds.map(|seed| number(seed).unwrap()).find(|number| is_wanted(*number)).unwrap()
    };
    let sdk = format!(
        r#"{{"antithesis_sdk":{{"language":{{"name":"Rust","version":"1.88"}},"sdk_version":"{}","protocol_version":"1.1.0"}}}}"#,
        "0.1.0"
    );
    let names = [
        identity("never negative", 1),
        identity("nine", 2),
        identity("small", 3),
        identity("six or zero", 4),
        identity("here", 5),
        identity("in its range", 6),
    ];
    let kinds = [
        (["always", "Always"], true),
        (["sometimes", "Sometimes"], true),
        (["always", "Always"], true),
        (["sometimes", "Sometimes"], true),
        (["reachability", "Reachable"], true),
        (["always", "AlwaysOrUnreachable"], false),
    ];
    let mut expected = vec![sdk];
    let places = names.iter().zip(kinds);
    expected.extend(places.map(|(name, (kind, must))| assertion(kind, must, None, name)));
    expected.push(guidance("numeric", &names[2], true, None));
    expected.push(guidance("boolean", &names[3], true, None));
    let mut hit = |index: usize, condition, details: &str| {
        let (kind, must) = kinds[index];
        expected.push(assertion(kind, must, Some((condition, details)), &names[index]));
    };
    let any = first(|_| true);
    hit(0, true, &format!(r#"{{"number":{any},"text":"\"a \\\"quoted\\\"\\n text\""}}"#));
    hit(1, true, r#"{"number":9}"#);
    hit(1, false, &format!(r#"{{"number":{}}}"#, first(|number| number != 9)));
    hit(2, true, &format!(r#"{{"left":{any},"right":10}}"#));
    expected.push(guidance("numeric", &names[2], true, Some(r#"{"left":9,"right":10}"#)));
    let mut hit = |index: usize, condition, details: &str| {
        let (kind, must) = kinds[index];
        expected.push(assertion(kind, must, Some((condition, details)), &names[index]));
    };
    hit(3, true, r#"{"even":true,"three":true}"#);
    let other = first(|number| number % 6 != 0);
    let [even, three] = [other % 2 == 0, other % 3 == 0];
    hit(3, false, &format!(r#"{{"even":{even},"three":{three}}}"#));
    expected.push(guidance("boolean", &names[3], true, Some(r#"{"even":true,"three":true}"#)));
    let mut hit = |index: usize, condition, details: &str| {
        let (kind, must) = kinds[index];
        expected.push(assertion(kind, must, Some((condition, details)), &names[index]));
    };
    hit(4, true, "{}");
    hit(5, true, "{}");
    let lines = properties_json(&report);
    assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_asked_for_stands_in_the_catalogue_without_a_hit() {
    let check = Check::new("json").seeds(100).expect_properties_of(MODULE);
    let lines = properties_json(&check.run(program));
    let never: Vec<&str> = lines.lines().filter(|line| line.contains("more than nine")).collect();
    let expected =
        assertion(["reachability", "Unreachable"], false, None, &identity("more than nine", 8));
    assert_eq!(never, [expected.replace(":5}", ":9}")]);
}

#[test]
fn a_violation_is_a_hit_that_is_false() {
    let report = Check::new("json").property_details(true).run(|| async {
        parcae::unreachable!("the end", answer = 42);
    });
    let lines = properties_json(&report);
    let last = lines.lines().last().unwrap();
    assert!(last.contains(r#""condition":false,"hit":true,"must_hit":false,"id":"the end""#));
    assert!(last.ends_with(r#""details":{"answer":42}}}"#), "{last}");
}

#[test]
fn checks_are_added_to_a_file_one_after_the_other() {
    let path = std::env::temp_dir().join(format!("parcae-properties-{}.jsonl", std::process::id()));
    let report = Check::new("json").seeds(2).run(|| async { parcae::reachable!("the file") });
    append_properties(&report, &path).unwrap();
    append_properties(&report, &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text, properties_json(&report).repeat(2));
    let error = append_properties(&report, &std::env::temp_dir()).unwrap_err().to_string();
    assert!(error.ends_with("cannot be written"), "{error}");
}

#[test]
fn real_numbers_are_numbers_and_what_is_none_is_null() {
    let check = Check::new("json").seeds(1).property_details(true);
    let report = check.run(|| async {
        let load = 0.75_f64;
        parcae::always_less_than!(load, 1.0, "below one", load, much = u64::MAX);
        parcae::sometimes_greater_than!(f32::INFINITY, 1.0, "infinite");
        parcae::sometimes_greater_than!(f64::NAN, 1.0, "not a number");
    });
    let lines = properties_json(&report);
    let ends = |end: &str| lines.lines().filter(|line| line.ends_with(end)).count();
    assert_eq!(
        ends(r#""details":{"left":0.75,"right":1.0,"load":0.75,"much":18446744073709551615}}}"#),
        1
    );
    assert_eq!(ends(r#""guidance_data":{"left":0.75,"right":1.0},"hit":true}}"#), 1);
    assert_eq!(ends(r#""guidance_data":{"left":null,"right":1.0},"hit":true}}"#), 1);
    assert_eq!(ends(r#""guidance_data":null,"hit":false}}"#), 3);
    assert_eq!(lines.matches(r#""hit":true}}"#).count(), 2, "nothing is near to what is no number");
}
