# The caller of the vectors and stories through examples/perl; README.md has the protocol.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../examples/perl";
use AtlasPostbooking;

sub made {
    my ($json) = @_;
    my %of = (json => $json, status => 0, outcome => 'unknown', http_status => '-', vendor_status => '-');
    return bless \%of, 'AtlasPostbooking::Reply';
}

sub answer {
    my ($verb, $times, $operation, $config, $request, $options) = @_;
    my $queue = AtlasPostbooking::Queue->own;
    return AtlasPostbooking::validate($operation, $request) if $verb eq 'VALIDATE';
    return AtlasPostbooking::describe(length $operation ? $operation : undef) if $verb eq 'DESCRIBE';
    return $queue->wait($queue->start(undef, $operation, $request, options => $options)) if $verb eq 'LOCAL';
    if ($verb eq 'FORGET') {    # clients that nobody closes
        AtlasPostbooking->new($config) for 1 .. $times;
        return made(sprintf '{"live":%d}', AtlasPostbooking::apb_live_handles());
    }
    my $client = eval { AtlasPostbooking->new($config) } or return $@->reply;
    if ($verb eq 'READS') {
        my ($ok, $gap, $ticks, $last) = (0, 0, 0, Time::HiRes::time());
        my @tags = map { $queue->start($client, $operation, $request) } 1 .. $times;
        while (@tags) {
            if (my $reply = $queue->wait($tags[-1], 0.005)) { $ok += $reply->ok ? 1 : 0; pop @tags }
            my $late = (Time::HiRes::time() - $last) * 1000 - 5;
            if ($late >= 0) { $gap = $late if $late > $gap; $ticks++; $last = Time::HiRes::time() }
        }
        return made(sprintf '{"ok":%d,"gapMs":%d,"ticks":%d}', $ok, $gap, $ticks);
    }
    if ($verb eq 'LEAVE') {
        $queue->wait($queue->start($client, $operation, $request), $times / 1000);
        exit;
    }
    if ($verb eq 'CANCEL') {
        my $cancel = AtlasPostbooking::Cancel->new;
        my $tag = $queue->start($client, $operation, $request, cancel => $cancel);
        $queue->wait($tag, $times / 1000);
        $cancel->set;
        return $queue->wait($tag);
    }
    my $reply;
    $reply = $client->reply($operation, $request, options => $options) for 1 .. $times;
    return $reply;
}

my %outcome = (unknown => 0, executed => 1, not_executed => 2, pending => 3);
$SIG{INT} = sub { exit 130 };
binmode STDIN;
binmode STDOUT;
$| = 1;
print "ready\n";
while (my $line = <STDIN>) {
    my ($verb, $times, @sizes) = split ' ', $line;
    my @texts = map { my $text = ''; read STDIN, $text, $_ if $_; $text } @sizes;
    my $reply = answer($verb, $times, @texts);
    my $raw = $reply->raw;
    my $leaked = AtlasPostbooking::apb_live_handles() - 1;    # the queue
    print join(' ', $reply->status, $outcome{ $reply->outcome }, $reply->http_status, $reply->vendor_status,
        length $reply->json, defined $raw ? length $raw : -1, $leaked < 0 ? 0 : $leaked), "\n", $reply->json, $raw // '';
}
