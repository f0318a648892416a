//! Who gets in, and who does not.

use super::*;

fn identity(name: &str, incarnation: u64) -> Identity {
    Identity { name: name.to_owned(), incarnation }
}

const CALL: Call = Call { line: 0, attempt: 1 };

fn key() -> Key {
    Key::new(b"a key of some bytes")
}

fn dialer(nonce: u8) -> (Dialer, Greeting) {
    Dialer::new(identity("a", 1), [nonce; 32], CALL)
}

fn acceptor(nonce: u8) -> Acceptor {
    Acceptor::new(identity("b", 2), [nonce; 32])
}

fn answer(step: Step) -> Greeting {
    match step {
        Step::Answer(greeting) => greeting,
        other => panic!("{other:?}"),
    }
}

fn welcome(step: Step) -> (Greeting, Established) {
    match step {
        Step::AnswerAndDone(greeting, established) => (greeting, *established),
        other => panic!("{other:?}"),
    }
}

/// What came of it at the dialer, if it came that far.
type AtDialer = Result<Established, LinkError>;

fn everybody(_: &str) -> bool {
    true
}

/// Both sides as they come to know each other, with whatever is between them changing what they say.
fn meet(
    keys: [&Key; 2],
    mut change: impl FnMut(&mut Greeting),
) -> (Result<Established, Refusal>, Option<AtDialer>) {
    let (mut dialer, mut hello) = dialer(10);
    let mut acceptor = acceptor(20);
    change(&mut hello);
    let mut challenge = match acceptor.on(keys[1], hello, everybody) {
        Ok(step) => answer(step),
        Err(refusal) => return (Err(refusal), None),
    };
    change(&mut challenge);
    let mut proof = match dialer.on(keys[0], challenge) {
        Ok(step) => answer(step),
        Err(error) => return (Err(Refusal::Malformed), Some(Err(error))),
    };
    change(&mut proof);
    let (mut greeting, at_listener) = match acceptor.on(keys[1], proof, everybody) {
        Ok(step) => welcome(step),
        Err(refusal) => return (Err(refusal), None),
    };
    change(&mut greeting);
    let at_dialer = match dialer.on(keys[0], greeting) {
        Ok(Step::Done(established)) => Ok(*established),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    (Ok(at_listener), Some(at_dialer))
}

#[test]
fn two_with_the_key_know_each_other_and_seal_alike() {
    let (at_listener, at_dialer) = meet([&key(), &key()], |_| {});
    let (mut at_listener, mut at_dialer) = (at_listener.unwrap(), at_dialer.unwrap().unwrap());
    assert_eq!(at_listener.peer, identity("a", 1));
    assert_eq!(at_dialer.peer, identity("b", 2));
    for (from, to) in [
        (&mut at_listener.sending, &mut at_dialer.receiving),
        (&mut at_dialer.sending, &mut at_listener.receiving),
    ] {
        let mut bytes = Vec::new();
        super::super::frame::encode(&1_u8, 100, Some(from), &mut bytes).unwrap();
        let mut reader = super::super::frame::FrameReader::new(100);
        reader.expect(100, std::mem::replace(to, Seal::new(b"", b"")));
        reader.push(&bytes);
        assert!(matches!(reader.next(), Ok(Some([1]))));
    }
}

#[test]
fn without_the_key_nobody_gets_in() {
    let other = Key::new(b"another key");
    let (at_listener, at_dialer) = meet([&other, &key()], |_| {});
    assert_eq!(at_listener.unwrap_err(), Refusal::WrongKey);
    assert!(at_dialer.is_none(), "the listener says nothing that depends on its key");
}

#[test]
fn a_listener_without_the_key_is_not_believed() {
    let (mut dialer, _) = dialer(10);
    let challenge = Challenge { who: identity("b", 2), nonce: [20; 32] };
    answer(dialer.on(&key(), Greeting::Challenge(challenge)).unwrap());
    for guess in [Proof([0; 32]), Key::new(b"guess").prove(LISTENER, b"")] {
        let error = dialer.on(&key(), Greeting::Welcome(guess)).unwrap_err();
        assert!(matches!(error, LinkError::NotAuthentic));
    }
}

/// Whatever is changed on the way, one side or the other does not believe it.
#[test]
fn whatever_is_changed_on_the_way_is_found() {
    let changes: [fn(&mut Greeting); 10] = [
        |g| {
            if let Greeting::Hello(hello) = g {
                hello.who.name = "x".to_owned();
            }
        },
        |g| {
            if let Greeting::Hello(hello) = g {
                hello.who.incarnation += 1;
            }
        },
        |g| {
            if let Greeting::Hello(hello) = g {
                hello.nonce[31] ^= 1;
            }
        },
        |g| {
            if let Greeting::Hello(hello) = g {
                hello.call.attempt += 1;
            }
        },
        |g| {
            if let Greeting::Hello(hello) = g {
                hello.call.line += 1;
            }
        },
        |g| {
            if let Greeting::Challenge(challenge) = g {
                challenge.who.name = "x".to_owned();
            }
        },
        |g| {
            if let Greeting::Challenge(challenge) = g {
                challenge.who.incarnation += 1;
            }
        },
        |g| {
            if let Greeting::Challenge(challenge) = g {
                challenge.nonce[0] ^= 1;
            }
        },
        |g| {
            if let Greeting::Proof(proof) = g {
                proof.0[5] ^= 1;
            }
        },
        |g| {
            if let Greeting::Welcome(proof) = g {
                proof.0[31] ^= 128;
            }
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (at_listener, at_dialer) = meet([&key(), &key()], change);
        let is_found = at_listener.is_err() || matches!(at_dialer, Some(Err(_)));
        assert!(is_found, "change {index} was not found");
    }
}

/// A name that takes a byte of its neighbour is another name.
#[test]
fn parts_of_the_transcript_cannot_be_moved() {
    let hello = |name: &str, incarnation| Hello {
        who: identity(name, incarnation),
        nonce: [1; 32],
        call: CALL,
    };
    let challenge = Challenge { who: identity("b", 2), nonce: [2; 32] };
    let one = transcript(&hello("a", u64::from_le_bytes(*b"bcdefghi")), &challenge);
    let other = transcript(&hello("ab", u64::from_le_bytes(*b"cdefghi\0")), &challenge);
    assert_ne!(one, other);
}

#[test]
fn what_was_heard_before_proves_nothing() {
    let mut heard = Vec::new();
    let (at_listener, _) = meet([&key(), &key()], |greeting| heard.push(greeting.clone()));
    at_listener.unwrap();
    // The same words to the same listener, which has another nonce by now.
    let mut acceptor = acceptor(21);
    answer(acceptor.on(&key(), heard[0].clone(), everybody).unwrap());
    let refusal = acceptor.on(&key(), heard[2].clone(), everybody).unwrap_err();
    assert_eq!(refusal, Refusal::WrongKey);
    // And to the same dialer.
    let (mut dialer, _) = dialer(11);
    answer(dialer.on(&key(), heard[1].clone()).unwrap());
    let error = dialer.on(&key(), heard[3].clone()).unwrap_err();
    assert!(matches!(error, LinkError::NotAuthentic));
}

/// Somebody without the key opens a connection back to whom it has accepted, and lets each answer the
/// challenge of the other.
#[test]
fn nobody_answers_its_own_challenge() {
    // As a dialer to the machine that dials it: the machine is sent its own words.
    let (mut dialer, hello) = dialer(10);
    let mut acceptor = Acceptor::new(identity("a", 1), [30; 32]);
    let refusal = acceptor.on(&key(), hello, everybody).unwrap_err();
    assert_eq!(refusal, Refusal::Oneself);
    // Under another name, and its challenge is handed to the dialing side.
    let stranger = Hello { who: identity("x", 9), nonce: [10; 32], call: CALL };
    let challenge = answer(acceptor.on(&key(), Greeting::Hello(stranger), everybody).unwrap());
    assert!(matches!(
        dialer.on(&key(), challenge.clone()),
        Err(LinkError::Refused(Refusal::Oneself))
    ));
    // Even with its name changed, the answer is not one to this challenge.
    let Greeting::Challenge(mut challenge) = challenge else { panic!() };
    challenge.who = identity("x", 9);
    let proof = answer(dialer.on(&key(), Greeting::Challenge(challenge)).unwrap());
    assert_eq!(acceptor.on(&key(), proof, everybody).unwrap_err(), Refusal::WrongKey);
}

/// The proof of a listener is none of a dialer.
#[test]
fn a_proof_is_for_one_side() {
    let key = key();
    let hello = Hello { who: identity("a", 1), nonce: [1; 32], call: CALL };
    let mut acceptor = acceptor(20);
    answer(acceptor.on(&key, Greeting::Hello(hello.clone()), everybody).unwrap());
    let of_listener = key.prove(LISTENER, &transcript(&hello, &acceptor.challenge));
    let refusal = acceptor.on(&key, Greeting::Proof(of_listener), everybody).unwrap_err();
    assert_eq!(refusal, Refusal::WrongKey);
}

#[test]
fn the_list_is_asked_about_those_who_have_the_key_only() {
    let run = |key_of_dialer: &Key| {
        let (mut dialer, hello) = dialer(10);
        let mut acceptor = acceptor(20);
        let mut asked = Vec::new();
        let challenge = answer(acceptor.on(&key(), hello, everybody).unwrap());
        let proof = answer(dialer.on(key_of_dialer, challenge).unwrap());
        let result = acceptor.on(&key(), proof, |name| {
            asked.push(name.to_owned());
            false
        });
        (result.unwrap_err(), asked)
    };
    assert_eq!(run(&key()), (Refusal::NotAllowed, vec!["a".to_owned()]));
    assert_eq!(run(&Key::new(b"other")), (Refusal::WrongKey, vec![]));
}

#[test]
fn what_comes_out_of_turn_is_refused() {
    let welcome = Greeting::Welcome(Proof([0; 32]));
    let (mut dialer, hello) = dialer(10);
    assert!(matches!(dialer.on(&key(), welcome.clone()), Err(LinkError::OutOfTurn)));
    let mut acceptor = acceptor(20);
    let proof = Greeting::Proof(Proof([0; 32]));
    assert_eq!(acceptor.on(&key(), proof, everybody).unwrap_err(), Refusal::Malformed);
    answer(acceptor.on(&key(), hello.clone(), everybody).unwrap());
    for greeting in [hello, welcome] {
        assert_eq!(acceptor.on(&key(), greeting, everybody).unwrap_err(), Refusal::Malformed);
    }
}

#[test]
fn a_nonce_tells_nothing_of_the_random_bytes_without_the_key() {
    let random = [7; 32];
    assert_ne!(key().nonce(&random), random);
    assert_ne!(key().nonce(&random), Key::new(b"other").nonce(&random));
}

#[test]
fn a_key_is_not_shown() {
    assert_eq!(format!("{:?}", key()), "Key");
}
