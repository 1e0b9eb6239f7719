#!/usr/bin/env bash
# Prints all committed events so far, each user's in their order.
set -euo pipefail
source "$(dirname "$0")/authbus.sh"

committed beginning -t "$AUTHBUS_NAMESPACE.events.v1" -J | jq -r \
    '.headers as $h | ([range(0; $h | length; 2) | {($h[.]): $h[. + 1]}] | add) as $named
     | (.payload | fromjson) as $data | "\($named.ce_type) \($data.user_id) \($data.sequence)"'
