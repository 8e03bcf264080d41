# `clear-up.sh DIRECTORY CGROUP`: waits until its standard input ends, which it does however the process ends that holds the other
# end, and then takes away what a lab leaves behind: processes, cgroups, files. Its namespaces and mounts end with its processes.
trap '' INT TERM HUP
cat > /dev/null
lab=/sys/fs/cgroup/unified/$2
if [ -d "$lab" ]; then echo 1 > "$lab/cgroup.kill"; fi
tries=0
while [ $tries -lt 200 ]; do
  left=
  for folder in /sys/fs/cgroup/*/"$2"; do
    [ -d "$folder" ] || continue
    find "$folder" -depth -type d -exec rmdir {} + 2> /dev/null
    [ -d "$folder" ] && left=yes
  done
  [ -n "$left" ] || break
  sleep 0.1
  tries=$((tries + 1))
done
[ -z "$left" ] || echo "cgroups $2 are left" >&2
rm -rf --one-file-system "$1"
