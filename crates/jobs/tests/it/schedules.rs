//! Jobs by the clock.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use pulse_jobs::{Cron, CronError, FixedSchedule, Missed};

use crate::fixture::{Fixture, handler};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The first times after `after`, as UTC.
fn times(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::try_new(cron, zone).unwrap();
    let mut times = Vec::new();
    let mut last = at(after);
    while times.len() < count {
        last = cron.next(last).unwrap();
        times.push(last.format("%m-%d %H:%M:%S").to_string());
    }
    times
}

#[test]
fn a_time_of_day_stays_that_when_the_clocks_change() {
    let daily = times("0 9 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3);
    assert_eq!(daily, ["03-28 08:00:00", "03-29 07:00:00", "03-30 07:00:00"]);
}

#[test]
fn a_time_that_the_clocks_leave_out_fires_after_the_gap_and_one_that_comes_twice_once() {
    let spring = times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2);
    assert_eq!(spring, ["03-29 01:00:00", "03-30 00:30:00"]);
    let autumn = times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(autumn, ["10-25 00:30:00", "10-26 01:30:00"]);
}

#[test]
fn what_fires_by_the_interval_goes_on_by_it() {
    let autumn = times("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 4);
    assert_eq!(autumn, ["10-25 00:00:00", "10-25 01:00:00", "10-25 02:00:00", "10-25 03:00:00"]);
    let spring = times("0 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", 3);
    assert_eq!(spring, ["03-29 00:00:00", "03-29 01:00:00", "03-29 02:00:00"]);
    let seconds = times("*/20 * * * * *", "UTC", "2026-01-01T00:00:00Z", 3);
    assert_eq!(seconds, ["01-01 00:00:20", "01-01 00:00:40", "01-01 00:01:00"]);
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(
        Cron::try_new("* * * * *", "Mars/Olympus").unwrap_err(),
        CronError::Zone("Mars/Olympus".to_owned())
    );
    let error = Cron::try_new("61 * * * *", "UTC").unwrap_err().to_string();
    assert!(error.starts_with("\"61 * * * *\" is not a cron expression ("), "{error}");
    assert_eq!(Cron::try_new("0 0 30 2 *", "UTC").unwrap().next(at("2026-01-01T00:00:00Z")), None);
}

async fn schedule(fixture: &Fixture, cron: &str, missed: Missed, next_run: &str) {
    let missed = missed.as_str();
    fixture
        .run_sql(&format!(
            "INSERT INTO platform.schedules (id, tenant, name, kind, cron, zone, payload, priority, missed, enabled, next_run,
                                             version, created_at, updated_at)
             VALUES (gen_random_uuid(), gen_random_uuid(), 'test', 'test.job', '{cron}', 'Europe/Berlin', '{{}}', 0, '{missed}',
                     true, '{next_run}', 1, now(), now())"
        ))
        .await;
}

/// For which times a schedule fires that was to fire at seven and is looked at when it is `now`.
async fn fired(missed: Missed, now: &str) -> Vec<String> {
    let fixture = Fixture::new().await;
    schedule(&fixture, "0 * * * *", missed, "2026-05-01T07:00:00Z").await;
    fixture.set(at(now));
    let handler = handler(|_| Ok(()));
    let seen = Arc::clone(&handler.seen);
    let worker = fixture.worker(handler);
    assert_eq!(worker.fire_schedules().await.unwrap(), 1);
    assert_eq!(worker.fire_schedules().await.unwrap(), 0);
    worker.drain().await.unwrap();
    let mut times: Vec<_> =
        seen.lock().unwrap().iter().map(|job| job.run_at.format("%H:%M").to_string()).collect();
    times.sort_unstable();
    times
}

#[tokio::test]
async fn on_time_all_rules_are_the_same() {
    for missed in [Missed::Skip, Missed::Once, Missed::All] {
        assert_eq!(fired(missed, "2026-05-01T07:00:02Z").await, ["07:00"], "{missed:?}");
    }
}

#[tokio::test]
async fn missed_runs_are_made_up_for_by_their_rule() {
    assert_eq!(fired(Missed::Skip, "2026-05-01T10:20:00Z").await, Vec::<String>::new());
    assert_eq!(fired(Missed::Once, "2026-05-01T10:20:00Z").await, ["10:00"]);
    assert_eq!(fired(Missed::All, "2026-05-01T10:20:00Z").await, ["07:00", "08:00", "09:00", "10:00"]);
    assert_eq!(fired(Missed::Skip, "2026-05-01T10:00:30Z").await, ["10:00"], "this one is not missed");
}

#[tokio::test]
async fn what_is_made_up_for_is_bounded() {
    assert_eq!(fired(Missed::All, "2026-06-01T10:20:00Z").await.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_schedulers_fire_once() {
    let fixture = Fixture::new().await;
    schedule(&fixture, "*/5 * * * *", Missed::Once, "2026-03-29T00:55:00Z").await;
    let workers: Vec<_> = (0..2).map(|_| fixture.worker(handler(|_| Ok(())))).collect();
    // Over the hour that Berlin leaves out.
    for minute in 0..12 {
        fixture.set(at("2026-03-29T00:55:01Z") + chrono::TimeDelta::minutes(5 * minute));
        let (first, second) = tokio::join!(workers[0].fire_schedules(), workers[1].fire_schedules());
        assert_eq!(first.unwrap() + second.unwrap(), 1);
    }
    assert_eq!(fixture.number("SELECT count(*) FROM platform.jobs").await, 12);
    assert_eq!(fixture.number("SELECT count(DISTINCT run_at) FROM platform.jobs").await, 12);
    assert_eq!(fixture.told().await.len(), 12);
}

#[tokio::test]
async fn a_disabled_schedule_and_one_of_an_unknown_kind_do_not_fire() {
    let fixture = Fixture::new().await;
    schedule(&fixture, "0 * * * *", Missed::All, "2026-05-01T07:00:00Z").await;
    fixture.set(at("2026-05-01T09:00:00Z"));
    let worker = fixture.worker(handler(|_| Ok(())));
    fixture.run_sql("UPDATE platform.schedules SET enabled = false").await;
    assert_eq!(worker.fire_schedules().await.unwrap(), 0);
    fixture.run_sql("UPDATE platform.schedules SET enabled = true, kind = 'test.other'").await;
    assert_eq!(worker.fire_schedules().await.unwrap(), 0);
}

#[tokio::test]
async fn a_fixed_schedule_is_kept_and_not_put_off_by_a_restart() {
    let fixture = Fixture::new().await;
    let fixed = |cron| FixedSchedule { name: "test", kind: "test.job", cron, missed: Missed::Once };
    fixture.set(at("2026-05-01T07:10:00Z"));
    let next = "SELECT extract(epoch FROM next_run)::bigint FROM platform.schedules";
    for (now, cron, expected) in [
        ("2026-05-01T07:10:00Z", "0 * * * *", "2026-05-01T08:00:00Z"),
        ("2026-05-01T08:30:00Z", "0 * * * *", "2026-05-01T08:00:00Z"),
        ("2026-05-01T08:30:00Z", "15 * * * *", "2026-05-01T09:15:00Z"),
    ] {
        fixture.set(at(now));
        let worker = fixture.worker(handler(|_| Ok(()))).scheduling([fixed(cron)]);
        worker.keep_schedules().await.unwrap();
        assert_eq!(fixture.number(next).await, at(expected).timestamp(), "{now} {cron}");
    }
}
