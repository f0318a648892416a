//! Texts that are replaced and appended to.

use crate::oracle::model::Model;

/// Texts by key, at first empty; each key is checked by itself.
///
/// A get answers `Some` text; what the others answer is not looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextStore;

/// What a [`TextStore`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextInput {
    /// The text of a key.
    Get(String),
    /// That a key has this text.
    Put(String, String),
    /// That the text of a key goes on with this.
    Append(String, String),
}

impl Model for TextStore {
    type Input = TextInput;
    type Output = Option<String>;
    type State = String;
    type Key = String;

    fn initial(&self) -> String {
        String::new()
    }

    fn step(
        &self,
        state: &String,
        input: &TextInput,
        output: Option<&Option<String>>,
    ) -> Option<String> {
        match input {
            TextInput::Get(_) => {
                output.is_none_or(|got| got.as_ref() == Some(state)).then(|| state.clone())
            }
            TextInput::Put(_, text) => Some(text.clone()),
            TextInput::Append(_, text) => Some([state.as_str(), text].concat()),
        }
    }

    fn keeps_state(&self, input: &TextInput, _: Option<&Option<String>>) -> bool {
        matches!(input, TextInput::Get(_))
    }

    fn key(&self, input: &TextInput) -> String {
        match input {
            TextInput::Get(key) | TextInput::Put(key, _) | TextInput::Append(key, _) => key.clone(),
        }
    }
}
