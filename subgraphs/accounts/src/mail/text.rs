//! What letters say.

use pulse_types::Secret;

use super::FactorNews;
use crate::config::LinksConfig;
use crate::invitation::Issued;
use crate::one_time_token::Purpose;

/// Subject and body of a letter.
pub(crate) struct Text {
    pub(crate) subject: &'static str,
    pub(crate) body: String,
}

const UNASKED: &str =
    "If you did not ask for this, you need not do anything: nothing happens without this link.";

/// A letter with a link that is good once.
pub(crate) fn with_link(links: &LinksConfig, purpose: Purpose, token: &Secret, lifetime: &str) -> Text {
    let (subject, request, link) = match purpose {
        Purpose::VerifyEmail => (
            "Confirm your email address",
            "please confirm that this is your email address:",
            &links.verify_email,
        ),
        Purpose::ChangeEmail => (
            "Confirm your new email address",
            "please confirm that you want to sign in with this email address from now on:",
            &links.change_email,
        ),
        Purpose::ResetPassword => {
            ("Set a new password", "here you can set a new password:", &links.reset_password)
        }
        Purpose::SignIn => ("Sign in", "here you can sign in without your password:", &links.sign_in),
    };
    let link = link.replace("{token}", token.expose());
    let body =
        format!("Hello,\n\n{request}\n\n{link}\n\nThe link is good once, and for {lifetime}.\n\n{UNASKED}\n");
    Text { subject, body }
}

/// Somebody is asked to become a member. The names are what people have given.
pub(crate) fn invitation(links: &LinksConfig, issued: &Issued) -> Text {
    let Issued { to: _, token, organization, inviter, role, expires_at } = issued;
    let link = links.accept_invitation.replace("{token}", token.expose());
    let inviter = inviter.as_deref().unwrap_or("Somebody");
    let (role, until) = (role.as_str(), expires_at.format("%Y-%m-%d %H:%M UTC"));
    let body = format!(
        "Hello,\n\n{inviter} invites you to become a member of \"{organization}\", as {role}. Here you can accept or \
         decline:\n\n{link}\n\nThe link is good once, until {until}.\n\nIf you do not know who that is, you need not do \
         anything: nothing happens without this link.\n"
    );
    Text { subject: "You are invited", body }
}

/// The password is another one.
pub(crate) fn password_changed() -> Text {
    let body = "Hello,\n\nyour password was changed, and everywhere else you were signed out.\n\nIf it was not you, set a new \
                password at once, and tell whoever runs this service.\n";
    Text { subject: "Your password was changed", body: body.to_owned() }
}

/// Something has happened to the second factor.
pub(crate) fn factor(news: FactorNews) -> Text {
    let (subject, what) = match news {
        FactorNews::On => (
            "A code is asked when you sign in",
            "from now on a code of your app is asked when you sign in. Keep your recovery codes where nobody else finds \
             them. Everywhere else you were signed out.",
        ),
        FactorNews::Off => (
            "No code is asked any more when you sign in",
            "from now on your password alone is asked when you sign in. Everywhere else you were signed out.",
        ),
        FactorNews::NewRecoveryCodes => (
            "You have new recovery codes",
            "you have new recovery codes, and those of before are worth nothing. Everywhere else you were signed out.",
        ),
        FactorNews::NewPasskey => (
            "You have a new passkey",
            "a new passkey signs you in from now on. Everywhere else you were signed out.",
        ),
        FactorNews::PasskeyRemoved => (
            "A passkey was removed",
            "one of your passkeys signs nobody in any more. Everywhere else you were signed out.",
        ),
        FactorNews::RecoveryCodeUsed => (
            "A recovery code was used",
            "somebody has signed in with one of your recovery codes. It is worth nothing any more. If you have few left, \
             make new ones.",
        ),
        FactorNews::Guessed => (
            "Somebody knows how to sign in as you",
            "somebody has given your password, or used a link that was sent to you, and then wrong codes until they were \
             stopped.",
        ),
    };
    let body = format!(
        "Hello,\n\n{what}\n\nIf it was not you, set a new password at once, and tell whoever runs this service.\n"
    );
    Text { subject, body }
}

/// The address is another one.
pub(crate) fn email_changed() -> Text {
    let body = "Hello,\n\nyour account has another email address from now on: you cannot sign in with this one any \
                more.\n\nIf it was not you, tell whoever runs this service at once.\n";
    Text { subject: "Your email address was changed", body: body.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_has_its_own_link() {
        let token = Secret::new("pulse_ot_x");
        let body = |purpose| with_link(&LinksConfig::default(), purpose, &token, "1 hour").body;
        assert!(
            body(Purpose::VerifyEmail).contains("\nhttp://localhost:3000/verify-email#token=pulse_ot_x\n")
        );
        assert!(body(Purpose::ResetPassword).contains("/reset-password#token=pulse_ot_x\n"));
        assert!(body(Purpose::ChangeEmail).contains("/change-email#token=pulse_ot_x\n"));
        assert!(body(Purpose::SignIn).contains("/sign-in#token=pulse_ot_x\n"));
    }
}
