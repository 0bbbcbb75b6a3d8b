//! Words of a text, as Elasticsearch's standard analyzer makes them.

use unicode_segmentation::UnicodeSegmentation;

/// Characters of a word at most; a longer one is cut into several, as the standard tokenizer does.
const MAX_WORD: usize = 255;

/// The words of a text in lower case, in order: word boundaries of Unicode Standard Annex 29. What has no letter and no
/// digit is no word (Lucene also keeps emoji; this does not).
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().flat_map(|word| Pieces { rest: word }).map(lower)
}

/// In lower case, character by character as in Lucene: a sigma at the end of a word is one as in its middle.
fn lower(word: &str) -> String {
    word.chars().filter_map(|c| c.to_lowercase().next()).collect()
}

/// A word in pieces of at most [`MAX_WORD`] characters.
struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.char_indices().nth(MAX_WORD).map_or(self.rest.len(), |(at, _)| at);
        let (piece, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    fn of(text: &str) -> Vec<String> {
        words(text).collect()
    }

    /// The examples of Elasticsearch's reference for the standard analyzer and tokenizer, and of UAX 29.
    #[test]
    fn words_are_those_of_the_standard_analyzer() {
        assert_eq!(
            of("The 2 QUICK Brown-Foxes jumped over the lazy dog's bone."),
            ["the", "2", "quick", "brown", "foxes", "jumped", "over", "the", "lazy", "dog's", "bone"]
        );
        assert_eq!(of("GET /index.html?a=b_c 10.0.0.1"), ["get", "index.html", "a", "b_c", "10.0.0.1"]);
        assert_eq!(of("我是"), ["我", "是"]);
        assert_eq!(of("ΣΊΣΥΦΟΣ İx"), ["σίσυφοσ", "ix"]);
        assert!(of(" -- \u{0} ").is_empty());
    }

    #[test]
    fn a_long_word_is_cut() {
        let long = "ä".repeat(600);
        assert_eq!(of(&long).iter().map(|w| w.chars().count()).collect::<Vec<_>>(), [255, 255, 90]);
    }
}
