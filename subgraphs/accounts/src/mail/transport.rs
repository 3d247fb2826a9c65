//! How mail leaves: by SMTP, or into a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::text::Text;
use crate::config::MailConfig;
use crate::user::EmailAddress;

/// Settings by which no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMailSettings {
    /// Not an address.
    #[error("accounts.mail.from is not an address such as \"Pulse <pulse@example.com>\": {0}")]
    From(lettre::address::AddressError),
    /// Not the URL of a server. The URL itself may hold a password, and is not shown.
    #[error(
        "accounts.mail.smtp_url is not an SMTP URL: expected smtps://user:password@host:465, or smtp://user:password@host:587?tls=required"
    )]
    SmtpUrl,
}

/// Why a letter was not sent. The texts name no address and nothing of the server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error("no mail can be sent: set accounts.mail.smtp_url, or accounts.mail.folder")]
    NotConfigured,
    #[error("the mail library does not take the address")]
    Address(#[source] lettre::address::AddressError),
    #[error("the letter cannot be written")]
    Letter(#[source] lettre::error::Error),
    #[error("the mail server refuses the letter")]
    Refused(#[source] lettre::transport::smtp::Error),
    #[error("the mail server did not take the letter")]
    Server(#[source] lettre::transport::smtp::Error),
    #[error("the folder for mail cannot be written to")]
    Folder(#[source] std::io::Error),
}

impl MailError {
    /// Whether it may go better another time.
    pub(crate) const fn is_passing(&self) -> bool {
        !matches!(self, Self::Address(_) | Self::Letter(_) | Self::Refused(_))
    }
}

/// Sends letters. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer {
    from: Mailbox,
    transport: Transport,
}

#[derive(Clone)]
enum Transport {
    None,
    Folder(Arc<Path>),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Mailer {
    /// By SMTP where a server is configured, else into the folder.
    pub(crate) fn try_new(config: &MailConfig) -> Result<Self, InvalidMailSettings> {
        let from = config.from.parse().map_err(InvalidMailSettings::From)?;
        let (url, folder) = (config.smtp_url.expose(), &config.folder);
        let transport = if !url.is_empty() {
            let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
            let builder = builder.map_err(|_| InvalidMailSettings::SmtpUrl)?;
            Transport::Smtp(builder.timeout(Some(config.timeout)).build())
        } else if folder.as_os_str().is_empty() {
            Transport::None
        } else {
            Transport::Folder(Arc::from(folder.as_path()))
        };
        Ok(Self { from, transport })
    }

    /// Sends it. `id` names the letter: sent again, it is the same one.
    pub(crate) async fn send(&self, id: &str, to: &EmailAddress, text: Text) -> Result<(), MailError> {
        let Text { subject, body } = text;
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.as_str().parse().map_err(MailError::Address)?))
            .subject(subject)
            .message_id(Some(format!("<{id}@{domain}>")))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(MailError::Letter)?;
        match &self.transport {
            Transport::None => Err(MailError::NotConfigured),
            Transport::Folder(folder) => {
                write(folder, id, message.formatted()).await.map_err(MailError::Folder)
            }
            Transport::Smtp(server) => match server.send(message).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_permanent() => Err(MailError::Refused(error)),
                Err(error) => Err(MailError::Server(error)),
            },
        }
    }
}

/// One file a letter, whole or not there at all. The names sort by when letters were asked for.
async fn write(folder: &Path, id: &str, letter: Vec<u8>) -> std::io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let (path, unfinished): (PathBuf, PathBuf) =
        (folder.join(format!("{id}.eml")), folder.join(format!(".{id}.eml")));
    tokio::fs::write(&unfinished, letter).await?;
    tokio::fs::rename(unfinished, path).await
}
