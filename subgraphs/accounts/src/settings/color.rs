//! Colours, and whether text on them can be read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What WCAG 2.2 asks of text of usual size (level AA).
pub(crate) const READABLE: f64 = 4.5;

/// A colour, `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Color([u8; 3]);

/// Text that is no colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a colour: expected # and six hexadecimal digits, such as #1a73e8")]
pub(crate) struct InvalidColor;

impl Color {
    pub(crate) const BLACK: Self = Self([0; 3]);
    pub(crate) const WHITE: Self = Self([255; 3]);

    pub(crate) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    pub(crate) fn try_new(text: &str) -> Result<Self, InvalidColor> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(InvalidColor)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or(InvalidColor)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// How much of text in one of the two can be told from the other: 1 to 21, as WCAG defines it.
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Black or white, whichever is read better on this.
    pub(crate) fn text_on(self) -> Self {
        if self.contrast(Self::BLACK) >= self.contrast(Self::WHITE) { Self::BLACK } else { Self::WHITE }
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126_f64.mul_add(red, 0.7152_f64.mul_add(green, 0.0722 * blue))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

impl TryFrom<String> for Color {
    type Error = InvalidColor;

    fn try_from(text: String) -> Result<Self, InvalidColor> {
        Self::try_new(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_reads_back_and_anything_else_is_none() {
        assert_eq!(Color::try_new("#1A73e8").unwrap().to_string(), "#1a73e8");
        for text in ["", "1a73e8", "#1a73e", "#1a73e80", "#+a73e8", "#gggggg", "red", "#ääa"] {
            assert_eq!(Color::try_new(text), Err(InvalidColor), "{text}");
        }
    }

    #[test]
    fn contrast_is_what_wcag_says() {
        let grey = Color::try_new("#777777").unwrap();
        assert!((Color::BLACK.contrast(Color::WHITE) - 21.0).abs() < 1e-9);
        assert!((Color::WHITE.contrast(Color::WHITE) - 1.0).abs() < 1e-9);
        // The grey that just misses on white.
        assert!((grey.contrast(Color::WHITE) - 4.478).abs() < 0.001);
        assert_eq!(Color::try_new("#ffff00").unwrap().text_on(), Color::BLACK);
        assert_eq!(Color::try_new("#000080").unwrap().text_on(), Color::WHITE);
    }
}
