"""What every part may use and what knows no part: settings, time, ids, database, logs, secrets."""
