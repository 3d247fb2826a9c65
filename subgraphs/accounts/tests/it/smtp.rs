//! Letters that leave by SMTP.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use pulse_types::Secret;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::Accounts;

/// A mail server that answers the end of each letter with the next of its replies, and then with 250.
#[derive(Clone, Default)]
struct Server {
    replies: Arc<Mutex<VecDeque<&'static str>>>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Its URL.
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        url
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail.test\r\n").await.unwrap();
        let mut line = String::new();
        while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
            let reply = match line.trim_end() {
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.unwrap();
                    self.read_letter(&mut stream).await
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n").await.unwrap(),
                _ => "250 mail.test",
            };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
            line.clear();
        }
    }

    async fn read_letter(&self, stream: &mut BufReader<TcpStream>) -> &'static str {
        let mut letter = String::new();
        while !letter.ends_with("\r\n.\r\n") {
            stream.read_line(&mut letter).await.unwrap();
        }
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or("250 taken");
        if reply.starts_with("250") {
            self.taken.lock().unwrap().push(letter);
        }
        reply
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

async fn accounts(server: &Server) -> Accounts {
    let url = server.start().await;
    Accounts::with(|config| config.mail.smtp_url = Secret::new(url)).await
}

const LETTERS: &str = "SELECT count(*) FROM platform.all_jobs WHERE kind = 'accounts.mail' AND status = ";

async fn count(accounts: &Accounts, status: &str) -> i64 {
    let mut connection = accounts.database.connect().await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("{LETTERS} '{status}'"));
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_letter_is_given_to_the_server_and_to_no_folder() {
    let server = Server::default();
    let accounts = accounts(&server).await;
    accounts.register("Ada").await;
    assert!(accounts.letters().await.is_empty());
    let [letter] = <[String; 1]>::try_from(server.taken()).unwrap();
    for line in
        ["From: Pulse <pulse@localhost>", "To: ada@example.com", "Subject: Confirm your email address"]
    {
        assert!(letter.lines().any(|found| found == line), "{line} in {letter}");
    }
    assert_eq!(count(&accounts, "completed").await, 1);
}

#[tokio::test]
async fn a_letter_that_the_server_did_not_take_is_sent_again() {
    let server = Server::default();
    server.replies.lock().unwrap().push_back("451 try later");
    let accounts = accounts(&server).await;
    accounts.register("Ada").await;
    accounts.letters().await;
    assert!(server.taken().is_empty());
    assert_eq!(count(&accounts, "pending").await, 1);
    accounts.pass(60);
    accounts.letters().await;
    assert_eq!((server.taken().len(), count(&accounts, "completed").await), (1, 1));
}

#[tokio::test]
async fn a_letter_that_the_server_refuses_is_not_sent_again() {
    let server = Server::default();
    server.replies.lock().unwrap().push_back("550 no such mailbox");
    let accounts = accounts(&server).await;
    accounts.register("Ada").await;
    accounts.letters().await;
    assert!(server.taken().is_empty());
    let refused = "SELECT count(*) FROM platform.all_jobs WHERE status = 'failed'
                      AND error = 'the mail server refuses the letter'";
    assert_eq!(accounts.count(refused).await, 1);
}
