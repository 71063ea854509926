#!/bin/bash
# One-node Ceph (mon, osd on a sparse file, mgr) with radosgw: the real S3 engine of the tests. Needs no root.
#   radosgw.sh start DIR PORT   prints the endpoint when it answers (some 20 s from nothing); state and pids lie under DIR
#   radosgw.sh stop DIR         ends the four daemons by the pids they wrote
#   radosgw.sh installed        status 0 where it can be started here
set -euo pipefail
usage() { sed -n '2,5p' "$0" >&2; exit 2; }
verb=${1:-} dir=${2:-}
if [ "$verb" = installed ]; then
  for program in ceph ceph-authtool ceph-mgr ceph-mon ceph-osd curl monmaptool radosgw radosgw-admin; do
    command -v "$program" > /dev/null || exit 1
  done
  exit 0
fi
[ $# -ge 2 ] || usage

stop() {
  local name pid pids=()
  for name in client.rgw.a mgr.x osd.0 mon.a; do
    pid=$(cat "$dir/run/$name.pid" 2>/dev/null) || continue
    [ -n "$pid" ] && kill "$pid" 2>/dev/null && pids+=("$pid")
  done
  # Who removes the folder next must find nobody writing there.
  for _ in $(seq 100); do
    kill -0 "${pids[@]}" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "${pids[@]}" 2>/dev/null || true
}

configure() {
  local port=$1
  mkdir -p "$dir"/{mon,osd,run,log,rgw,mgr}
  cat > "$dir/ceph.conf" <<CONF
[global]
fsid = 11111111-2222-3333-4444-555555555555
mon_host = [v2:127.0.0.1:$((port + 1))/0,v1:127.0.0.1:$((port + 2))/0]
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
run_dir = $dir/run
admin_socket = $dir/run/\$name.asok
pid_file = $dir/run/\$name.pid
log_file = $dir/log/\$name.log
keyring = $dir/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_crit = 1
mon_data = $dir/mon
osd_data = $dir/osd
mgr_data = $dir/mgr
rgw_data = $dir/rgw
osd_objectstore = bluestore
bluestore_block_create = true
bluestore_block_size = 21474836480
bluestore_fsck_on_mount = false
rgw_gc_obj_min_wait = 2
rgw_gc_processor_period = 5
rgw_gc_processor_max_time = 5
osd_memory_target = 939524096
ms_bind_ipv6 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
rgw_frontends = beast endpoint=127.0.0.1:$port
CONF
}

# cephx keys first: a daemon without one hangs instead of failing.
bootstrap() {
  local port=$1 entity
  monmaptool --create --clobber --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" \
    --fsid 11111111-2222-3333-4444-555555555555 "$dir/monmap" > /dev/null
  ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' > /dev/null
  for entity in client.admin client.rgw.a mgr.x; do
    ceph-authtool "$dir/keyring" --gen-key -n "$entity" --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *' > /dev/null
  done
  ceph-authtool "$dir/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *' > /dev/null
  ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
}

start() {
  local port=$1 uuid
  configure "$port"
  export CEPH_CONF="$dir/ceph.conf" CEPH_ARGS="--conf $dir/ceph.conf"
  [ -e "$dir/mon/store.db" ] || bootstrap "$port"
  trap stop ERR
  ceph-mon -i a
  if [ ! -e "$dir/osd/whoami" ]; then
    uuid=$(cat /proc/sys/kernel/random/uuid)
    timeout 30 ceph osd new "$uuid" > /dev/null
    ceph-osd -i 0 --mkfs --osd-uuid "$uuid" > /dev/null 2>&1
  fi
  ceph-osd -i 0 > /dev/null
  ceph-mgr -i x
  radosgw -n client.rgw.a
  for _ in $(seq 120); do
    curl -m 2 -s -o /dev/null "http://127.0.0.1:$port/" && break
    sleep 0.5
  done
  if [ ! -e "$dir/user.done" ]; then
    timeout 60 radosgw-admin user create --uid=test --display-name=test --access-key=testkey --secret-key=testsecret12345 > /dev/null
    touch "$dir/user.done"
  fi
  echo "http://127.0.0.1:$port"
}

case $verb in
  start) [ $# -eq 3 ] || usage; start "$3" ;;
  stop) stop ;;
  *) usage ;;
esac
