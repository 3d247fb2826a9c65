//! What letters say.

use pulse_types::Secret;

use crate::config::LinksConfig;
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

/// The password is another one.
pub(crate) fn password_changed() -> Text {
    let body = "Hello,\n\nyour password was changed, and everywhere else you were signed out.\n\nIf it was not you, set a new \
                password at once, and tell whoever runs this service.\n";
    Text { subject: "Your password was changed", body: body.to_owned() }
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
