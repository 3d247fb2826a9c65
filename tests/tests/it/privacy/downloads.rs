//! Links to exports.

use pulse_privacy::Link;
use pulse_sealing::Sealer;
use pulse_tests::ENCRYPTION_KEY;
use pulse_types::Secret;

use super::Stage;

#[tokio::test]
async fn a_link_is_good_for_the_person_it_was_made_for_alone_and_for_a_while() {
    let stage = Stage::new().await;
    let export = stage.export().await;
    let path = stage.download_path(&stage.person.token, export).await;
    let status = async |token: Option<&str>, path: &str| match token {
        Some(token) => stage.platform.get_as(token, path).await.status.as_u16(),
        None => stage.platform.get(path).await.status.as_u16(),
    };
    let own = Some(stage.person.token.as_str());
    assert_eq!(status(own, &path).await, 200);
    assert_eq!(status(None, &path).await, 401);
    assert_eq!(status(Some("no token"), &path).await, 401);
    for other in [&stage.alpha.owner, &stage.beta.owner] {
        assert_eq!(status(Some(&other.token), &path).await, 403);
        let claimed = path.replace(&stage.person.id, &other.id);
        assert_eq!(status(Some(&other.token), &claimed).await, 403);
    }
    let expires = path.split("expires=").nth(1).unwrap().split('&').next().unwrap();
    let later = path.replace(expires, &(expires.parse::<i64>().unwrap() + 1).to_string());
    let last = path.chars().last().unwrap();
    let forged = format!("{}{}", &path[..path.len() - 1], if last == '0' { '1' } else { '0' });
    let of_another = path.replace(&export.to_string(), &stage.person.id);
    let unsigned = path.split("&signature").next().unwrap().to_owned() + "&signature=";
    for wrong in [later, forged, of_another, unsigned, path.replace("/exports/", "/exports/..%2F")] {
        assert_eq!(status(own, &wrong).await, 403, "{wrong}");
    }

    let sealer = Sealer::try_new(&Secret::new(ENCRYPTION_KEY), &[]).unwrap();
    let person = stage.person.id.parse().unwrap();
    let now = stage.platform.store.clock().now().timestamp();
    let good = Link { export: export.uuid(), person, org: None, expires: now + 60 };
    assert_eq!(status(own, &good.path(&sealer)).await, 200);
    assert_eq!(status(own, &Link { expires: now - 1, ..good }.path(&sealer)).await, 403);
    let gone = Link { export: stage.person.id.parse().unwrap(), ..good };
    assert_eq!(status(own, &gone.path(&sealer)).await, 404);
}
