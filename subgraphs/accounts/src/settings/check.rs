//! What somebody gives as a setting, checked.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::error::SettingsError;
use crate::email_domain;

/// A language, with a script or a region or both (BCP 47), in the usual case.
pub(crate) fn locale(text: &str) -> Option<String> {
    let mut parts = text.trim().split('-');
    let letters = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let language = parts.next().filter(|part| letters(part, 2..=3))?.to_ascii_lowercase();
    let mut rest = parts.next();
    let mut tag = language;
    if let Some(script) = rest.filter(|part| letters(part, 4..=4)) {
        let (first, others) = script.split_at(1);
        tag = format!("{tag}-{}{}", first.to_ascii_uppercase(), others.to_ascii_lowercase());
        rest = parts.next();
    }
    if let Some(region) = rest {
        let is_number = region.len() == 3 && region.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number && !letters(region, 2..=2) {
            return None;
        }
        tag = format!("{tag}-{}", region.to_ascii_uppercase());
    }
    parts.next().is_none().then_some(tag)
}

/// A time zone of the IANA database.
pub(crate) fn time_zone(text: &str) -> Option<String> {
    text.trim().parse::<Tz>().ok().map(|zone| zone.name().to_owned())
}

/// Domains of addresses, each once, in order.
pub(super) fn domains(given: &[String]) -> Result<Vec<String>, SettingsError> {
    if !(1..=50).contains(&given.len()) {
        return Err(SettingsError::Domains(given.len()));
    }
    let parse = |text: &String| {
        let shown = || SettingsError::Domain(text.chars().take(100).collect());
        email_domain::parse(text).map_err(|_| shown())
    };
    let domains: BTreeSet<String> = given.iter().map(parse).collect::<Result<_, _>>()?;
    Ok(domains.into_iter().collect())
}

/// The address of a picture.
pub(super) fn logo_url(text: &str) -> Result<String, SettingsError> {
    let url = url::Url::parse(text.trim()).map_err(|_| SettingsError::LogoUrl)?;
    let is_plain = url.scheme() == "https"
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none();
    if is_plain && url.as_str().len() <= 2_000 { Ok(url.into()) } else { Err(SettingsError::LogoUrl) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_put_into_the_usual_case() {
        for (given, tag) in [
            ("EN", "en"),
            ("de-at", "de-AT"),
            ("ZH-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("gsw", "gsw"),
        ] {
            assert_eq!(locale(given).as_deref(), Some(tag));
        }
        for given in ["", "e", "english", "en_US", "en-", "en-USA", "de-AT-1996", "zh-Hant-TW-x", "é1"] {
            assert_eq!(locale(given), None, "{given}");
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_iana_database() {
        assert_eq!(time_zone("Europe/Vienna").as_deref(), Some("Europe/Vienna"));
        assert_eq!(time_zone("Vienna"), None);
        assert_eq!(time_zone("+02:00"), None);
    }

    #[test]
    fn a_logo_is_elsewhere_by_https_alone() {
        assert!(logo_url("https://cdn.example.com/logo.png").is_ok());
        for url in [
            "http://example.com/x.png",
            "javascript:alert(1)",
            "data:image/png;base64,x",
            "https://u:p@example.com/",
            "//x",
        ] {
            assert_eq!(logo_url(url), Err(SettingsError::LogoUrl), "{url}");
        }
    }
}
