//! Replay tokens: they fail again in the same way, and survive edits that have nothing to do with it.

use std::future::Future;

use parcae::explore::{
    Check, ParseTokenError, ReplayError, ReplayMode, ReplayToken, ReplayVerdict, Verdict,
};

use crate::scenarios::{self, Noise, SpawnPlace};

/// Failures of 100 seed ranges, as tokens of the program without noise.
fn tokens<P, F>(program: P) -> Vec<ReplayToken>
where
    P: Fn() -> F + Send + Sync + Copy + 'static,
    F: Future<Output: Verdict> + 'static,
{
    let tokens: Vec<ReplayToken> = (0..100)
        .map(|place| {
            let check = Check::new("program").first_seed(place * 1_000).seeds(1_000).jobs(1);
            let report = check.run(program);
            let token = report.finding().expect("found").token().expect("replayable").to_string();
            token.parse().unwrap()
        })
        .collect();
    tokens
}

/// How many tokens fail in the same way in an edited program.
fn reproduced<P, F>(tokens: &[ReplayToken], mode: ReplayMode, program: P) -> usize
where
    P: Fn() -> F + Send + Sync + Copy + 'static,
    F: Future<Output: Verdict> + 'static,
{
    let replay = |token: &&ReplayToken| {
        let replay = Check::new("program").replay(token, mode, program).unwrap();
        replay.verdict == ReplayVerdict::Reproduced
    };
    tokens.iter().filter(replay).count()
}

fn plain() -> impl Future<Output = ()> {
    scenarios::lost_update(Noise::default())
}

fn torn() -> impl Future<Output = ()> {
    scenarios::torn_read(Noise::default())
}

#[test]
fn tokens_replay_event_for_event() {
    assert_eq!(reproduced(&tokens(plain), ReplayMode::Strict, plain), 100);
    assert_eq!(reproduced(&tokens(torn), ReplayMode::Strict, torn), 100);
}

#[test]
fn an_unrelated_draw_in_another_task_changes_no_replay() {
    let noise = Noise { draws: 5, ..Noise::default() };
    let edited = move || scenarios::lost_update(noise);
    assert_eq!(reproduced(&tokens(plain), ReplayMode::Lenient, edited), 100);
    let edited = move || scenarios::torn_read(noise);
    assert_eq!(reproduced(&tokens(torn), ReplayMode::Lenient, edited), 100);
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are seen with --nocapture")]
fn an_unrelated_spawn_changes_few_replays() {
    for is_unnamed in [false, true] {
        let named = Noise { is_unnamed, ..Noise::default() };
        let update_tokens = tokens(move || scenarios::lost_update(named));
        let read_tokens = tokens(move || scenarios::torn_read(named));
        for place in [SpawnPlace::First, SpawnPlace::Between, SpawnPlace::Last] {
            let noise = Noise { spawn: Some(place), ..named };
            let mode = ReplayMode::Lenient;
            let update = reproduced(&update_tokens, mode, move || scenarios::lost_update(noise));
            let read = reproduced(&read_tokens, mode, move || scenarios::torn_read(noise));
            println!("unnamed {is_unnamed}, extra spawn {place:?}: {update} and {read} of 100");
            assert!(update >= 80 && read >= 80, "{noise:?}: {update} and {read}");
        }
    }
}

#[test]
fn moved_lines_change_no_replay() {
    // The same program on other lines, of another file: nothing of a token is a place.
    mod moved {
        include!("moved.rs");
    }
    assert_eq!(reproduced(&tokens(plain), ReplayMode::Lenient, moved::lost_update), 100);
}

#[test]
fn a_fixed_program_passes_the_replay() {
    let token = &tokens(plain)[0];
    let replay = Check::new("program")
        .replay(token, ReplayMode::Lenient, scenarios::lost_update_fixed)
        .unwrap();
    assert_eq!(replay.verdict, ReplayVerdict::Passes);
    assert!(replay.finding.is_none());
}

#[test]
fn strict_replay_of_an_edited_program_names_the_first_divergence() {
    let noise = Noise { draws: 1, ..Noise::default() };
    let token = &tokens(plain)[0];
    let replay = Check::new("program")
        .replay(token, ReplayMode::Strict, move || scenarios::lost_update(noise))
        .unwrap();
    assert_eq!(replay.verdict, ReplayVerdict::Diverged);
    let divergence = replay.divergence.unwrap();
    assert!(divergence.from_event <= divergence.to_event);
    let is_named = divergence.events.iter().any(|event| event.contains("`bystander` draws"));
    assert!(is_named, "{divergence}");
}

#[test]
fn lenient_replay_lists_stale_overrides() {
    let token = &tokens(plain)[0];
    let replay = Check::new("program")
        .replay(token, ReplayMode::Lenient, || async {
            parcae::spawn_named("increment", async {}).await;
        })
        .unwrap();
    assert_eq!(replay.stale.len(), 1);
    assert!(replay.stale[0].contains("`increment"), "{:?}", replay.stale);
}

#[test]
fn a_token_of_another_program_is_refused_by_name() {
    let token = &tokens(plain)[0];
    let error = Check::new("other").replay(token, ReplayMode::Strict, plain).unwrap_err();
    assert_eq!(
        error,
        ReplayError::OtherProgram { token: "program".into(), program: "other".into() }
    );
    assert_eq!(
        error.to_string(),
        "the replay token is of `program` and cannot be replayed by `other`"
    );
}

#[test]
fn every_damaged_token_is_refused() {
    let token = tokens(plain)[0].to_string();
    for at in 3..token.len() {
        for replacement in ["A", "z", "_"] {
            let mut damaged = token.clone();
            damaged.replace_range(at..=at, replacement);
            if damaged != token {
                assert_eq!(damaged.parse::<ReplayToken>(), Err(ParseTokenError::Damaged));
            }
        }
        assert_eq!(token[..at].parse::<ReplayToken>(), Err(ParseTokenError::Damaged));
    }
    assert_eq!(
        format!("v2:{}", &token[3..]).parse::<ReplayToken>(),
        Err(ParseTokenError::OtherVersion { version: 2 })
    );
    assert!(matches!("hello".parse::<ReplayToken>(), Err(ParseTokenError::NotAToken { .. })));
}

#[test]
fn a_token_is_found_in_a_report() {
    let token = &tokens(plain)[0];
    let report = format!("  replay   PARCAE_REPLAY={token} cargo test\nmore\n");
    assert_eq!(ReplayToken::find_in(&report).as_ref(), Ok(token));
    assert!(ReplayToken::find_in("nothing here").is_err());
}

#[test]
fn a_replay_with_options_that_cannot_be_is_refused() {
    let token = &tokens(plain)[0];
    let check = Check::new("program").max_steps(0);
    let error = check.replay(token, ReplayMode::Strict, plain).unwrap_err();
    assert!(matches!(error, ReplayError::Config(_)), "{error}");
}
