DROP FUNCTION analytics.ensure_month(date);
DROP TABLE analytics.events;
