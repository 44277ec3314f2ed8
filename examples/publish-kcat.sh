#!/bin/sh
# Publish a report on Meldstroom with kcat (Debian: apt-get install kcat jq).
#   KAFKA=127.0.0.1:9092 SOURCE=urn:nld:oin:...:systeem:... ./publish-kcat.sh rood.json
set -eu

KAFKA=${KAFKA:-127.0.0.1:9092}
SOURCE=${SOURCE:-urn:nld:oin:00000001999971232000:systeem:zorgformulier}
report=$1

# A file that is named after the options is one message: its line ends stay in it.
kcat -P -b "$KAFKA" \
    -t "meldstroom.reports.$(jq -er .source_id "$report").v1" \
    -k "$(jq -er .report_id "$report")" \
    -X acks=all -X enable.idempotence=true \
    -H ce_specversion=1.0 \
    -H "ce_id=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)" \
    -H ce_type=nl.veiligthuis-meldingen.melding-gedaan.v1 \
    -H "ce_source=$SOURCE" \
    -H "ce_time=$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    -H content-type=application/json \
    "$report"
