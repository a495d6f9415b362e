# debian.sh: packages of Debian without installing them, from the mirror of the host's own apt
# configuration, with state and sources apart. Sourced by scripts that have log and die.

# The mirror of Debian's main archive in the host's own apt configuration.
mirror() {
  apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' |
    awk '$1 ~ /:\/\// && $1 !~ /^cdrom:/ && $2 == "main" && $3 !~ /-security$|\/updates$/ &&
         ($4 == "Debian" || $4 ~ /^\$/) { print $1; exit }'
}

# apt_in FOLDER COMMAND...: apt with state and sources of its own, and none of the host's hooks.
apt_in() {
  local folder=$1 command=$2
  shift 2
  "$command" --config-file="$folder/apt.conf" "$@"
}

# apt_for FOLDER SUITE: makes FOLDER one for apt_in, for packages of a suite for amd64, with its
# index fetched. No package counts as installed.
apt_for() {
  local folder=$1 suite=$2 from
  from=$(mirror)
  [ -n "$from" ] || die "apt's configuration names no mirror of Debian"
  log "fetching the package index of $suite from $from (about 10 MB)"
  mkdir -p "$folder"/{lists,archives}/partial
  touch "$folder/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $from $suite main" > "$folder/sources.list"
  cat > "$folder/apt.conf" << CONF
#clear APT::Architectures; #clear DPkg::Post-Invoke;
#clear APT::Update::Pre-Invoke; #clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;
APT::Architecture "amd64"; APT::Architectures { "amd64"; }; APT::Sandbox::User "root";
APT::Update::Error-Mode "any"; Acquire::Languages "none"; Acquire::Retries "3"; Debug::NoLocking "true";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Dir::State::lists "$folder/lists"; Dir::State::status "$folder/status"; Dir::Log "$folder";
Dir::Cache "$folder"; Dir::Cache::archives "$folder/archives";
Dir::Etc::sourcelist "$folder/sources.list"; Dir::Etc::sourceparts "$folder/archives";
Dir::Etc::preferences "$folder/status"; Dir::Etc::preferencesparts "$folder/archives";
CONF
  apt_in "$folder" apt-get -qq update || die "the package index of $suite could not be fetched"
}
