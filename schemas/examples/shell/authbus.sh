# To ask authbus from bash: kcat carries, `python -m authbus` seals and opens, jq reads.
: "${KAFKA_BOOTSTRAP_SERVERS:=localhost:9092}" "${AUTHBUS_NAMESPACE:=auth}"
: "${AUTHBUS_CLIENT:=shell}" "${AUTHBUS_TRUST:=}" "${AUTHBUS_HTTP:=http://localhost:8080}"
replies=$AUTHBUS_NAMESPACE.replies.$AUTHBUS_CLIENT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

shopt -s inherit_errexit

bus() { kcat -q -b "$KAFKA_BOOTSTRAP_SERVERS" "$@"; }
# From an offset to the end. read_committed is what librdkafka does by itself, others do not.
committed() { bus -C -X isolation.level=read_committed -X fetch.wait.max.ms=50 -e -o "$@"; }

# ask LogIn < data: prints the answer, with its type; 1 where it is a refusal.
ask() {
    # The last word on each key; null is its end.
    until committed beginning -t "$AUTHBUS_NAMESPACE.state.keys.v1" -J |
        jq -nr 'reduce inputs as $one ({}; .[$one.key] = $one.payload) | .[] | values' > "$work/keys" &&
        jq -es 'any(.use == "enc")' "$work/keys" > "$work/said"; do sleep 0.1; done
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/once.pem"
    # To try again after a time-out, send the same record: it has its effect once.
    jq -c --arg type "$1" '{type: $type, data: .}' |
        python -m authbus seal --client "$AUTHBUS_CLIENT" --namespace "$AUTHBUS_NAMESPACE" \
            --keys "$work/keys" --trust "$AUTHBUS_TRUST" --reply-key "$work/once.pem" > "$work/record"
    local headers from
    mapfile -t headers < <(jq -r '.headers | to_entries[] | "-H", "\(.key)=\(.value)"' "$work/record")
    from=$(bus -Q -t "$replies:0:-1" | grep -o '[0-9]*$')
    jq -rj .value "$work/record" |
        bus -P -t "$(jq -r .topic "$work/record")" -k "$(jq -r .key "$work/record")" "${headers[@]}"
    answer "$(jq -r .headers.correlation_id "$work/record")" "$from"
}

# answer CORRELATION_ID OFFSET: waits for the record that answers, from this offset on.
answer() {
    local deadline=$((SECONDS + 30)) found=
    until [[ $found ]]; do
        ((SECONDS < deadline)) || { echo "no answer" >&2; return 2; }
        found=$(committed "$2" -t "$replies" -p 0 -J | jq -c --arg id "$1" \
            '.headers as $h | .headers = ([range(0; $h | length; 2) | {($h[.]): $h[. + 1]}] | add)
             | select(.headers.correlation_id == $id)')
    done
    jq -r .payload <<< "$found" > "$work/reply"
    # Only a refusal comes in the clear: anybody could have made another answer that does.
    if [[ $(jq -r .headers.ce_type <<< "$found") != authbus.Rejected.v1 ]]; then
        python -m authbus open --reply-key "$work/once.pem" < "$work/reply" > "$work/opened"
        mv "$work/opened" "$work/reply"
    fi
    jq -c --arg type "$(jq -r .headers.ce_type <<< "$found")" '. + {type: $type}' "$work/reply"
    [[ $(jq -r .headers.ce_type <<< "$found") != authbus.Rejected.v1 ]]
}

# verify TOKEN: prints its claims when one of the published keys has signed it and it is for us.
verify() {
    local parts kid
    IFS=. read -ra parts <<< "$1"
    kid=$(decoded "${parts[0]}" | jq -er 'select(.typ == "at+jwt" and .alg == "EdDSA") | .kid')
    curl -sf "$AUTHBUS_HTTP/.well-known/jwks.json" |
        jq -er --arg kid "$kid" '.keys[] | select(.kid == $kid and .crv == "Ed25519") | .x' > "$work/x"
    { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'; decoded "$(< "$work/x")"; } > "$work/key"
    decoded "${parts[2]}" > "$work/signature"
    printf %s "${parts[0]}.${parts[1]}" > "$work/signed"
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin \
        -in "$work/signed" -sigfile "$work/signature" > "$work/said"
    decoded "${parts[1]}" | jq -ce --arg issuer "authbus/$AUTHBUS_NAMESPACE" --arg us "${2:-$AUTHBUS_CLIENT}" \
        'select(.iss == $issuer and .exp > now - 5 and .iat < now + 5 and ([.aud] | flatten | index($us)))'
}

# decoded TEXT: the bytes of base64url.
decoded() {
    local text=${1//-/+}
    text=${text//_//}
    while ((${#text} % 4)); do text+='='; done
    base64 -d <<< "$text"
}
