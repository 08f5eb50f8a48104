#!/bin/sh
# Makes the tables of a file (seed.txt says in which form) with curl and the AWS CLI, as the first user's script does:
# waits until the endpoint gives any answer, describes each table and creates it only where that fails, lists them at the
# end. It never changes a table that is there. Tables are made at the same time, since each start of the CLI takes long.
#
# usage: tables.sh FILE
#   DYNAMODB_ENDPOINT  where; default http://localhost:8000
#   AWS_CLI            the command; default aws
set -eu
file=$1
endpoint=${DYNAMODB_ENDPOINT:-http://localhost:8000}
aws=${AWS_CLI:-aws}
tries=30

dynamodb() { "$aws" dynamodb "$@" --endpoint-url "$endpoint"; }

# id:S,createdAt:N  ->  {AttributeName=id,KeyType=HASH},{AttributeName=createdAt,KeyType=RANGE}
key_schema() {
    printf '{AttributeName=%s,KeyType=HASH}' "${1%%:*}"
    case $1 in *,*) sort=${1#*,}; printf ',{AttributeName=%s,KeyType=RANGE}' "${sort%%:*}" ;; esac
}

create() {
    name=$1 key=$2 units=5 attributes='' indexes='' mode=provisioned
    shift 2
    for part in "$key" "$@"; do
        case $part in
        on-demand) mode=on-demand; continue ;;
        capacity=*) units=${part#*=}; continue ;;
        *=*)
            part_key=${part#*=}
            indexes="$indexes IndexName=${part%%=*},KeySchema=[$(key_schema "$part_key")],Projection={ProjectionType=ALL},ProvisionedThroughput={ReadCapacityUnits=5,WriteCapacityUnits=5}"
            ;;
        *) part_key=$part ;;
        esac
        for attribute in $(echo "$part_key" | tr , ' '); do
            definition="AttributeName=${attribute%:*},AttributeType=${attribute#*:}"
            case " $attributes " in *" $definition "*) ;; *) attributes="$attributes $definition" ;; esac
        done
    done
    schema=$(key_schema "$key" | sed 's/},{/ /; s/[{}]//g')
    # Words are to be split: names hold no spaces.
    # shellcheck disable=SC2086
    set -- --table-name "$name" --attribute-definitions $attributes --key-schema $schema
    # shellcheck disable=SC2086
    [ -z "$indexes" ] || set -- "$@" --global-secondary-indexes $indexes
    if [ "$mode" = on-demand ]; then
        set -- "$@" --billing-mode PAY_PER_REQUEST
    else
        set -- "$@" --provisioned-throughput "ReadCapacityUnits=$units,WriteCapacityUnits=$units"
    fi
    dynamodb create-table "$@" >/dev/null && echo "created $name"
}

ensure() {
    if dynamodb describe-table --table-name "$1" >/dev/null 2>&1; then
        echo "exists $1"
    else
        create "$@"
    fi
}

# Any HTTP answer counts: curl fails only where there is none.
until curl -s -o /dev/null "$endpoint"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "nobody answers at $endpoint" >&2; exit 1; }
    sleep 2
done

jobs=''
while read -r line; do
    case $line in '' | '#'*) continue ;; esac
    # shellcheck disable=SC2086
    ensure $line &
    jobs="$jobs $!"
    # shellcheck disable=SC2086
    set -- $jobs
    if [ $# -ge 4 ]; then
        wait "$1"
        shift
        jobs="$*"
    fi
done <"$file"
for job in $jobs; do wait "$job"; done
dynamodb list-tables --query 'TableNames[]' --output text | tr '\t' '\n' | sed 's/^/listed /'
