//! What can be set. Everything may be left to the place above.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::color::{Color, READABLE};

/// The day that weeks begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WeekDay {
    /// As ISO 8601 has it.
    Monday,
    /// As in North America.
    Sunday,
    /// As in the Middle East.
    Saturday,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    /// The light palette.
    Light,
    /// The dark palette.
    Dark,
    /// What the person's device prefers.
    System,
}

/// How things work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) week_start: Option<WeekDay>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_email_domains: Option<Vec<String>>,
}

/// How things look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Branding {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logo: Option<Logo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) theme: Option<Theme>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) light: Option<Palette>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dark: Option<Palette>,
}

/// A picture that stands for a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Logo {
    /// Somewhere else.
    Url(String),
    /// Uploaded here.
    Uploaded(Uuid),
}

/// Colours that go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Palette {
    pub(crate) primary: Color,
    pub(crate) on_primary: Color,
    pub(crate) background: Color,
    pub(crate) text: Color,
}

impl Palette {
    pub(crate) const LIGHT: Self = Self {
        primary: Color::new(0x1a, 0x56, 0xdb),
        on_primary: Color::WHITE,
        background: Color::WHITE,
        text: Color::new(0x11, 0x18, 0x27),
    };

    pub(crate) const DARK: Self = Self {
        primary: Color::new(0x76, 0xa9, 0xfa),
        on_primary: Color::BLACK,
        background: Color::new(0x11, 0x18, 0x27),
        text: Color::new(0xf9, 0xfa, 0xfb),
    };

    /// Text that is hard to read: on what, and with which contrast.
    pub(crate) fn hard_to_read(&self) -> Vec<(&'static str, f64)> {
        let pairs = [("onPrimary", self.on_primary, self.primary), ("text", self.text, self.background)];
        let contrasts = pairs.into_iter().map(|(name, text, on)| (name, text.contrast(on)));
        contrasts.filter(|(_, contrast)| *contrast < READABLE).collect()
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Set at this place: a unit, or the tenant under its own id.
    Place(Uuid),
    /// Nobody has set it.
    Default,
}

/// What holds somewhere, and where each value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effective {
    pub(crate) settings: Settings,
    pub(crate) branding: Branding,
    pub(crate) sources: Vec<(&'static str, Source)>,
}

impl Effective {
    /// Of the places from the nearest to the tenant, each with what is set there. The nearest wins, value by value.
    pub(crate) fn of(places: &[(Uuid, Settings, Branding)]) -> Self {
        let mut sources = Vec::new();
        let settings = Settings {
            default_locale: nearest(places, &mut sources, "defaultLocale", |(_, s, _)| &s.default_locale),
            time_zone: nearest(places, &mut sources, "timeZone", |(_, s, _)| &s.time_zone),
            week_start: nearest(places, &mut sources, "weekStart", |(_, s, _)| &s.week_start),
            allowed_email_domains: nearest(places, &mut sources, "allowedEmailDomains", |(_, s, _)| {
                &s.allowed_email_domains
            }),
        };
        let branding = Branding {
            display_name: nearest(places, &mut sources, "displayName", |(_, _, b)| &b.display_name),
            logo: nearest(places, &mut sources, "logoUrl", |(_, _, b)| &b.logo),
            theme: nearest(places, &mut sources, "theme", |(_, _, b)| &b.theme),
            light: nearest(places, &mut sources, "light", |(_, _, b)| &b.light),
            dark: nearest(places, &mut sources, "dark", |(_, _, b)| &b.dark),
        };
        Self { settings, branding, sources }
    }
}

type Set = (Uuid, Settings, Branding);

/// The value of the first place that has one.
fn nearest<T: Clone>(
    places: &[Set],
    sources: &mut Vec<(&'static str, Source)>,
    name: &'static str,
    value: impl Fn(&Set) -> &Option<T>,
) -> Option<T> {
    let found = places.iter().find_map(|set| value(set).clone().map(|value| (set.0, value)));
    sources.push((name, found.as_ref().map_or(Source::Default, |(place, _)| Source::Place(*place))));
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_place_wins_value_by_value() {
        let (team, tenant) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let of = |locale: Option<&str>, zone: Option<&str>| Settings {
            default_locale: locale.map(str::to_owned),
            time_zone: zone.map(str::to_owned),
            ..Settings::default()
        };
        let effective = Effective::of(&[
            (team, of(Some("de"), None), Branding::default()),
            (tenant, of(Some("en"), Some("Europe/Paris")), Branding::default()),
        ]);
        assert_eq!(effective.settings, of(Some("de"), Some("Europe/Paris")));
        assert_eq!(
            effective.sources[..3],
            [
                ("defaultLocale", Source::Place(team)),
                ("timeZone", Source::Place(tenant)),
                ("weekStart", Source::Default)
            ]
        );
    }

    #[test]
    fn the_palettes_of_those_who_set_none_can_be_read() {
        assert_eq!(Palette::LIGHT.hard_to_read(), []);
        assert_eq!(Palette::DARK.hard_to_read(), []);
    }
}
