#!/usr/bin/env bash
# Walks through a user's life: register, log in, refresh, a wrong password, log out.
set -euo pipefail
source "$(dirname "$0")/authbus.sh"

email=$(openssl rand -hex 4)@example.com
# printf is the shell's own: what it is given is in no list of processes.
known() { printf '{"email": "%s", "password": "%s"}' "$email" "$1"; }
holder() { jq '{session_id, refresh_token}' <<< "$1"; }

user=$(known "correct horse battery" | ask RegisterUser)
echo "registered $(jq -r .user_id <<< "$user")"

session=$(known "correct horse battery" | ask LogIn)
claims=$(verify "$(jq -r .access_token <<< "$session")")
echo "logged in $(jq -r .sub <<< "$claims") until $(jq -r '.exp | todate' <<< "$claims")"

later=$(holder "$session" | ask RefreshSession)
claims=$(verify "$(jq -r .access_token <<< "$later")")
echo "refreshed $(jq -r .sub <<< "$claims")"

if refused=$(known "not this one" | ask LogIn); then
    echo "a wrong password was taken" >&2
    exit 1
fi
echo "refused $(jq -r .code <<< "$refused")"

over=$(holder "$later" | ask LogOut)
echo "logged out $(jq -r .session_id <<< "$over")"
