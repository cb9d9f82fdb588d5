<?php
/**
 * Plugin Name:       Loa
 * Description:       Gives each published article to Loa, its corrections and its withdrawal too. Đưa bài đã đăng, bài sửa và việc gỡ bài sang Loa.
 * Version:           1.0.0
 * Requires at least: 5.3
 * Requires PHP:      7.4
 * License:           MIT or Apache-2.0
 *
 * What it does: a post that is published, changed or taken away is noted in a table of ours, in the same request (see `mark`).
 * What is noted is settled with Loa after the response, and else by WP-Cron (`run`): Loa is told what stands THEN, never what
 * stood when it was noted. So a correction cannot arrive after a newer one, and however often a post was saved while Loa was
 * away, it is sent once.
 *
 * Data comes from WordPress' own tables and goes to Loa's HTTP API (docs/openapi.json), and nowhere else. It must not know what
 * Loa does with an article. What can fail is Loa, the way to it, or one article; `judge` tells these apart.
 *
 * Filters: `loa_article` (the article, the post), `loa_pause_seconds` (seconds, tries).
 */

namespace Loa;

defined( 'ABSPATH' ) || exit;

const SETTINGS = 'loa_settings';     // what an administrator chose
const PAUSE    = 'loa_pause';        // until when Loa is left alone, and why
const SWEEP    = 'loa_sweep';        // how far "send all" has come
const TABLE    = 'loa_table';        // the version of our table, once it is there
const HOME     = 'loa_home';         // the site that Loa knows, see `is_copy`
const RAN      = 'loa_ran';          // when this plugin was last seen at work
const TABLE_VERSION = 2;

const RUN_SECONDS_MAX     = 20;      // of one run; WP-Cron starts no second one within 60
const REQUEST_SECONDS_MAX = 15;      // of one request to Loa
const CLAIM_SECONDS       = 150;     // longer than a request with its redirects and resolvers: two never send one post at a time
const ANSWER_BYTES_MAX    = 65536;
const SAID_BYTES_MAX      = 1000;
const FIRST_PAUSE_SECONDS = 30;      // doubled with each try in vain
const PAUSE_SECONDS_MAX   = 600;     // whoever comes back is noticed within ten minutes
const RETRY_AFTER_MAX     = 3600;    // what Loa may ask for
const GRACE_SECONDS       = 5;       // for another process: editors save terms and pictures just after the post
const IN_VAIN_MAX         = 3;       // posts in a row that did not get through: then it is the way, not the post
const BATCH               = 50;
const LATE_SECONDS        = 3600;    // a queue this old is told to administrators
const LIST_MAX            = 50;
const PRIMARY_YOAST       = '_yoast_wpseo_primary_'; // these keep the primary category, by its taxonomy
const PRIMARY_RANK_MATH   = 'rank_math_primary_';
const ATTACHMENTS_MAX     = 100;     // of Loa's contract
const HOME_PORTAL         = 'home';  // Loa's name for its own portal, which answers leave out
const OTHER_PORTAL        = 'The token is of another portal'; // the title of that problem of Loa's

// ── the table: one row for each post that Loa knows, or is owed ──

function table(): string {
	global $wpdb;
	return $wpdb->prefix . 'loa_posts';
}

/** Makes the table where it is not there; idempotent. */
function make_table(): bool {
	global $wpdb;
	$made = $wpdb->query(
		'CREATE TABLE IF NOT EXISTS ' . table() . " (
			post_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
			loa_id VARCHAR(190) NOT NULL DEFAULT '',       -- the id it was first sent under, for ever
			portal VARCHAR(40) NOT NULL DEFAULT '',        -- where it stands in Loa, once Loa said so
			stands TINYINT NOT NULL DEFAULT 0,             -- Loa has it, or may have
			digest CHAR(64) NOT NULL DEFAULT '',           -- of what Loa took last
			owed TINYINT NOT NULL DEFAULT 0,               -- Loa has to be told
			generation BIGINT UNSIGNED NOT NULL DEFAULT 0, -- grows with each note
			owed_since BIGINT NOT NULL DEFAULT 0,          -- these are seconds since 1970
			due_at BIGINT NOT NULL DEFAULT 0,
			tries INT UNSIGNED NOT NULL DEFAULT 0,
			claim CHAR(16) NOT NULL DEFAULT '',            -- who is sending it
			claimed_until BIGINT NOT NULL DEFAULT 0,
			refused TINYINT NOT NULL DEFAULT 0,            -- Loa does not take it as it is
			said VARCHAR(1000) NOT NULL DEFAULT '',        -- in Loa's words, or the network's
			KEY owed (owed, tries, due_at),
			KEY refused (refused)
		) " . $wpdb->get_charset_collate()
	);
	if ( false !== $made && ! $wpdb->get_var( 'SHOW COLUMNS FROM ' . table() . " LIKE 'portal'" ) ) { // of version 1
		$made = $wpdb->query( 'ALTER TABLE ' . table() . " ADD portal VARCHAR(40) NOT NULL DEFAULT '' AFTER loa_id" );
	}
	if ( false !== $made ) {
		update_option( TABLE, TABLE_VERSION );
	}
	return false !== $made;
}

/**
 * Notes that Loa has to be told about a post; idempotent. What is told is decided when it is sent.
 *
 * @param bool $again Also when Loa took the very same before.
 */
function mark( int $post_id, bool $again = false, int $grace = GRACE_SECONDS ): void {
	global $wpdb;
	$now  = time();
	$note = $wpdb->prepare(
		'INSERT INTO ' . table() . ' (post_id, owed, generation, owed_since, due_at) VALUES (%d, 1, 1, %d, %d)
		 ON DUPLICATE KEY UPDATE said = IF(tries = 0 AND refused = 0, said, \'\'), owed_since = IF(owed = 1, owed_since, VALUES(owed_since)),
			owed = 1, generation = generation + 1, due_at = VALUES(due_at), tries = 0, refused = 0' . ( $again ? ", digest = ''" : '' ),
		$post_id, $now, $now + $grace
	);
	// The table may have been lost with a move of the site.
	if ( false === $wpdb->query( $note ) && ! ( make_table() && false !== $wpdb->query( $note ) ) ) {
		error_log( "loa: post $post_id could not be noted: {$wpdb->last_error}" );
		update_option( 'loa_unnoted', $now, false );
	}
}

function row( int $post_id ): ?object {
	global $wpdb;
	return $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM ' . table() . ' WHERE post_id = %d', $post_id ) );
}

/**
 * Takes a post that is owed for this process alone; nothing when another has it. A claim that nobody gave back is a try in vain:
 * what ends PHP while it is made must not be the first of each run.
 */
function claim( int $post_id ): ?object {
	global $wpdb;
	$claim = bin2hex( random_bytes( 8 ) );
	$taken = $wpdb->query( $wpdb->prepare(
		'UPDATE ' . table() . ' SET tries = tries + (claim <> \'\'), claim = %s, claimed_until = %d WHERE post_id = %d AND owed = 1 AND claimed_until < %d',
		$claim, time() + CLAIM_SECONDS, $post_id, time()
	) );
	$row = 1 === $taken ? row( $post_id ) : null;
	return $row && $row->claim === $claim ? $row : null;
}

/** Writes how it ended, and gives the claim back. False when the post was noted again meanwhile: then it is owed still. */
function release( object $row, array $columns ): bool {
	global $wpdb;
	$mine = array( 'post_id' => $row->post_id, 'claim' => $row->claim );
	$free = array( 'claim' => '', 'claimed_until' => 0 );
	if ( 1 === $wpdb->update( table(), $columns + $free, $mine + array( 'generation' => $row->generation ) ) ) {
		return true;
	}
	$kept = array_intersect_key( $columns, array( 'stands' => 1, 'digest' => 1, 'portal' => 1 ) ); // what Loa has is so all the same
	$wpdb->update( table(), $kept + $free, $mine );
	return false;
}

// ── what WordPress tells us ──

// Before others: their fault must not cost us the note.
add_action( 'transition_post_status', __NAMESPACE__ . '\on_transition', 1, 3 );
add_action( 'save_post', __NAMESPACE__ . '\on_save', 1, 2 );
add_action( 'before_delete_post', __NAMESPACE__ . '\on_delete', 1 );
add_action( 'deleted_post', __NAMESPACE__ . '\on_delete', 1 );
add_action( 'set_object_terms', __NAMESPACE__ . '\on_part', 1 );
add_action( 'deleted_term_relationships', __NAMESPACE__ . '\on_part', 1 );
add_action( 'delete_attachment', __NAMESPACE__ . '\on_picture', 1 );
foreach ( array( 'added_post_meta', 'updated_post_meta', 'deleted_post_meta' ) as $hook ) {
	add_action( $hook, __NAMESPACE__ . '\on_meta', 1, 3 );
}

/** @param \WP_Post $post */
function on_transition( $new, $old, $post ): void {
	if ( 'publish' === $new || 'publish' === $old ) {
		note( (int) $post->ID, $post, 'publish' === $old );
	}
}

/** @param \WP_Post $post */
function on_save( $post_id, $post ): void {
	if ( 'publish' === $post->post_status ) {
		note( (int) $post_id, $post, false );
	}
}

/** Twice: before, so that its fall is not missed, and after, since another process may have looked in between. */
function on_delete( $post_id ): void {
	$row = row( (int) $post_id );
	if ( $row && ( $row->stands || $row->owed ) ) {
		remember( (int) $post_id );
	}
}

/** A category, or another part that is saved by itself. */
function on_part( $post_id ): void {
	$post = get_post( $post_id );
	if ( $post && 'publish' === $post->post_status ) {
		note( (int) $post_id, $post, false );
	}
}

function on_meta( $meta_id, $post_id, $key ): void {
	if ( ! $post_id ) {
		return; // of all posts at once: where a picture is deleted, see `on_picture`
	}
	if ( '_thumbnail_id' === $key || 0 === strpos( $key, PRIMARY_YOAST ) || 0 === strpos( $key, PRIMARY_RANK_MATH ) ) {
		on_part( $post_id );
	} elseif ( '_wp_attachment_image_alt' === $key ) {
		on_picture( $post_id );
	}
}

/** A picture that is deleted or described anew: WordPress tells nothing of the posts that it stands on. */
function on_picture( $picture_id ): void {
	global $wpdb;
	$posts = $wpdb->get_col( $wpdb->prepare( "SELECT post_id FROM {$wpdb->postmeta} WHERE meta_key = '_thumbnail_id' AND meta_value = %s", $picture_id ) );
	foreach ( $posts as $post_id ) {
		on_part( (int) $post_id );
	}
}

/** Notes a post where Loa is concerned: it is to have it, may have had it, or has it. */
function note( int $post_id, \WP_Post $post, bool $was_public ): void {
	$chosen = in_array( $post->post_type, settings()['types'], true );
	$row    = null;
	if ( ( $chosen && ( $was_public || is_public( $post ) ) ) || ( ( $row = row( $post_id ) ) && ( $row->stands || $row->owed ) ) ) {
		remember( $post_id );
	}
}

/** The posts that this request noted, by the site (of a network); they are settled at its end. */
function remember( ?int $post_id = null ): array {
	static $noted = array();
	if ( null !== $post_id && is_for_this_site() ) {
		mark( $post_id );
		$noted[ get_current_blog_id() ][ $post_id ] = $post_id;
	}
	return $noted;
}

/** Whether this plugin is for this site: in a network, code of one site may switch to another, where it never ran. */
function is_for_this_site(): bool {
	return ! is_multisite() || ! ms_is_switched() || get_option( TABLE );
}

/** Whether everybody may read it. What is of a type that is not there just now is as public as it was. */
function is_public( \WP_Post $post ): bool {
	return 'publish' === $post->post_status && '' === $post->post_password
		&& ( ! post_type_exists( $post->post_type ) || is_post_type_viewable( $post->post_type ) );
}

// ── when it is sent: at the end of the request, by WP-Cron, and every five minutes whatever was lost ──

add_action( 'shutdown', __NAMESPACE__ . '\at_the_end', 20 ); // after WordPress has flushed its buffers
foreach ( array( 'loa_send', 'loa_watch', 'admin_post_loa_run', 'admin_post_nopriv_loa_run' ) as $hook ) {
	add_action( $hook, __NAMESPACE__ . '\run', 10, 0 ); // for whoever asks, as WP-Cron: it only does what is due
}
add_filter( 'cron_schedules', function ( $schedules ) {
	return $schedules + array( 'loa_five_minutes' => array( 'interval' => 300, 'display' => 'Loa: 5 min' ) );
} );
add_action( 'init', function () {
	if ( (int) get_option( TABLE ) !== TABLE_VERSION ) {
		make_table();
	}
	if ( ! wp_next_scheduled( 'loa_watch' ) ) {
		wp_schedule_event( time() + 300, 'loa_five_minutes', 'loa_watch' );
	}
} );
register_activation_hook( __FILE__, __NAMESPACE__ . '\catch_up' );
register_deactivation_hook( __FILE__, function () {
	wp_clear_scheduled_hook( 'loa_send' );
	wp_clear_scheduled_hook( 'loa_watch' );
} );
register_uninstall_hook( __FILE__, __NAMESPACE__ . '\uninstall' );

/** What was published, changed or taken away while this plugin was switched off. */
function catch_up(): void {
	global $wpdb;
	$ran = (int) get_option( RAN );
	if ( ! $ran || ! make_table() ) {
		return; // it never was on: older posts are sent when somebody wants them
	}
	$types = settings()['types'] ?: array( '' );
	$posts = $wpdb->get_col( $wpdb->prepare(
		"SELECT ID FROM {$wpdb->posts} WHERE GREATEST(post_modified_gmt, post_date_gmt) >= %s AND post_status = 'publish' AND post_type IN (" . implode( ', ', array_fill( 0, count( $types ), '%s' ) ) . ')
		 UNION SELECT l.post_id FROM ' . table() . " l LEFT JOIN {$wpdb->posts} p ON p.ID = l.post_id
			WHERE l.stands = 1 AND (p.ID IS NULL OR p.post_status <> 'publish' OR p.post_password <> '' OR p.post_modified_gmt >= %s)",
		array_merge( array( gmdate( 'Y-m-d H:i:s', $ran ) ), $types, array( gmdate( 'Y-m-d H:i:s', $ran ) ) )
	) );
	foreach ( $posts as $post_id ) {
		mark( (int) $post_id, false, 0 );
	}
	plan( time() );
}

function uninstall(): void {
	foreach ( is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( 0 ) as $site ) {
		if ( $site ) {
			switch_to_blog( $site );
		}
		$GLOBALS['wpdb']->query( 'DROP TABLE IF EXISTS ' . table() );
		foreach ( array( SETTINGS, PAUSE, SWEEP, TABLE, HOME, RAN, 'loa_unnoted' ) as $option ) {
			delete_option( $option );
		}
		if ( $site ) {
			restore_current_blog();
		}
	}
}
// A site of a network that is deleted.
add_filter( 'wpmu_drop_tables', function ( $tables ) {
	return array_merge( $tables, array( table() ) );
} );

/** Nobody waits for Loa: the response goes out first where PHP can do that, else a request of our own sends, or WP-Cron. */
function at_the_end(): void {
	global $wpdb;
	$by_site = remember();
	$noted   = $by_site[ get_current_blog_id() ] ?? array();
	foreach ( array_diff_key( $by_site, array( get_current_blog_id() => 1 ) ) as $site => $posts ) {
		switch_to_blog( $site );
		plan( time() + GRACE_SECONDS );
		restore_current_blog();
	}
	if ( ! $noted ) {
		if ( wp_doing_cron() && is_configured() ) {
			plan(); // two processes write WordPress' list of events, and one event is lost: each call of the clock looks
		}
		return;
	}
	ignore_user_abort( true );
	if ( function_exists( 'fastcgi_finish_request' ) ) {
		fastcgi_finish_request();
	} elseif ( function_exists( 'litespeed_finish_request' ) ) {
		litespeed_finish_request();
	} elseif ( 'cli' !== PHP_SAPI && ! wp_doing_cron() ) {
		$wpdb->query( $wpdb->prepare( // all that belongs to them is saved
			'UPDATE ' . table() . ' SET due_at = %d WHERE owed = 1 AND tries = 0 AND post_id IN (' . implode( ', ', array_map( 'intval', $noted ) ) . ')', time()
		) );
		plan( time() );
		// As WordPress starts its cron, but whether that runs already or not: it would not see what was just noted.
		wp_remote_post( admin_url( 'admin-post.php' ), array(
			'body' => array( 'action' => 'loa_run' ), 'blocking' => false, 'timeout' => 0.01,
			'sslverify' => apply_filters( 'https_local_ssl_verify', false ),
		) );
		return;
	}
	run( $noted );
}

/** Lets WP-Cron call us at a time, or when the next post is due. */
function plan( ?int $at = null ): void {
	global $wpdb;
	if ( null === $at ) {
		$due   = $wpdb->get_var( 'SELECT MIN(GREATEST(due_at, claimed_until)) FROM ' . table() . ' WHERE owed = 1' );
		$at    = get_option( SWEEP ) ? time() : ( null === $due ? null : (int) $due );
		$pause = get_option( PAUSE );
		$at    = null !== $at && $pause ? max( $at, (int) $pause['until'] ) : $at;
	}
	$planned = wp_next_scheduled( 'loa_send' );
	if ( null === $at || ( $planned && $planned <= $at ) ) {
		return; // a run too early plans anew, and each change of the plan may meet another process'
	}
	if ( $planned ) {
		wp_clear_scheduled_hook( 'loa_send' ); // WordPress takes no second event within ten minutes
	}
	wp_schedule_single_event( $at, 'loa_send' );
}

/**
 * Settles what is due, and these posts first whenever they are due.
 *
 * @param int[] $first
 */
function run( array $first = array() ): void {
	if ( ! did_action( 'wp_loaded' ) ) { // other plugins are not there yet: their shortcodes would stand as they were typed
		plan( time() + GRACE_SECONDS );
		return;
	}
	ignore_user_abort( true );
	$ends  = time() + RUN_SECONDS_MAX;
	$state = array( 'in_vain' => 0, 'stop' => ! is_configured() || is_paused() );
	if ( function_exists( 'set_time_limit' ) ) {
		set_time_limit( 120 );
	}
	update_option( RAN, time(), false );
	$next = array_values( $first );
	$idle = 0; // posts in a row that could not be taken: a database that only reads must not be asked for 20 seconds
	while ( ! $state['stop'] && $idle <= BATCH && time() < $ends ) {
		if ( ! $next ) {
			sweep();
			$next = due();
		}
		if ( ! $next ) {
			break;
		}
		$idle = settle( array_shift( $next ), $state ) ? 0 : $idle + 1;
	}
	if ( is_configured() ) {
		plan();
	}
}

/** Posts that are due, those first that were tried least: what fails again and again holds nothing up. */
function due(): array {
	global $wpdb;
	return array_map( 'intval', $wpdb->get_col( $wpdb->prepare(
		'SELECT post_id FROM ' . table() . ' WHERE owed = 1 AND due_at <= %d AND claimed_until < %d ORDER BY tries, due_at LIMIT %d',
		time(), time(), BATCH
	) ) );
}

/** One post: until Loa has what stands now, or the next time. False when it could not be taken. */
function settle( int $post_id, array &$state ): bool {
	// A post that is noted each time it is sent waits for the next run.
	for ( $round = 0; $round < 5 && ! $state['stop']; $round++ ) {
		$row = claim( $post_id );
		if ( ! $row ) {
			return $round > 0;
		}
		list( $outcome, $said, $seconds, $columns ) = attempt( $row );
		$columns += 'wait' === $outcome ? array() : array( 'said' => cut( $said, SAID_BYTES_MAX ) );
		switch ( $outcome ) {
			case 'done':
				$columns += array( 'owed' => 0, 'tries' => 0, 'refused' => 0 );
				break;
			case 'refused':
				$columns += array( 'owed' => 0, 'tries' => 0, 'refused' => 1 );
				break;
			case 'retry':
			case 'later':
				$columns += array( 'tries' => $row->tries + 1, 'due_at' => time() + pause_seconds( (int) $row->tries ) );
				break;
			case 'wait':
				break; // not this post's fault
		}
		$settled = release( $row, $columns );
		$state   = charge( $state, $outcome, $said, $seconds );
		if ( $settled ) {
			return true;
		}
	}
	return true;
}

/** Whether Loa as a whole is left alone now: it said so, or several posts in a row did not get through. */
function charge( array $state, string $outcome, string $said, ?int $seconds ): array {
	if ( 'done' === $outcome || 'refused' === $outcome ) {
		if ( get_option( PAUSE ) ) {
			delete_option( PAUSE );
		}
		return array( 'in_vain' => 0, 'stop' => false );
	}
	if ( 'later' === $outcome ) {
		return $state;
	}
	$in_vain = $state['in_vain'] + 1;
	if ( 'retry' === $outcome && $in_vain < IN_VAIN_MAX ) {
		return array( 'in_vain' => $in_vain, 'stop' => false );
	}
	$pause = get_option( PAUSE );
	$tries = $pause ? (int) $pause['tries'] : 0;
	update_option( PAUSE, array(
		'until' => time() + ( null === $seconds ? pause_seconds( $tries ) : max( 1, min( RETRY_AFTER_MAX, $seconds ) ) ),
		'tries' => $tries + 1,
		'said'  => cut( $said, SAID_BYTES_MAX ),
	), false );
	return array( 'in_vain' => $in_vain, 'stop' => true );
}

function is_paused(): bool {
	$pause = get_option( PAUSE );
	return $pause && time() < (int) $pause['until'];
}

function pause_seconds( int $tries ): int {
	$seconds = min( PAUSE_SECONDS_MAX, FIRST_PAUSE_SECONDS * 2 ** min( 10, $tries ) );
	return max( 1, (int) apply_filters( 'loa_pause_seconds', $seconds, $tries ) );
}

/** Whatever stood in the way is gone, as far as we know: everything is due. */
function go_on(): void {
	global $wpdb;
	delete_option( PAUSE );
	$wpdb->query( $wpdb->prepare( 'UPDATE ' . table() . ' SET due_at = %d, tries = 0, said = \'\' WHERE owed = 1', time() ) );
	plan( time() );
}

/** "Send all": a step further, once what it noted before is settled. First what is published here, then what Loa has too much. */
function sweep(): void {
	global $wpdb;
	$sweep = get_option( SWEEP );
	if ( ! $sweep || due() ) {
		return;
	}
	$types    = settings()['types'];
	$types_in = implode( ', ', array_fill( 0, max( 1, count( $types ) ), '%s' ) );
	if ( 'posts' === $sweep['stage'] && $types ) {
		$posts = $wpdb->get_col( $wpdb->prepare(
			"SELECT ID FROM {$wpdb->posts} WHERE ID > %d AND post_status = 'publish' AND post_password = ''
				AND post_type IN (" . $types_in . ') ORDER BY ID LIMIT %d',
			array_merge( array( $sweep['after'] ), $types, array( BATCH ) )
		) );
	} elseif ( 'posts' === $sweep['stage'] ) {
		$posts = array();
	} else {
		$posts = $wpdb->get_col( $wpdb->prepare(
			'SELECT l.post_id FROM ' . table() . " l LEFT JOIN {$wpdb->posts} p ON p.ID = l.post_id WHERE l.post_id > %d AND l.stands = 1
				AND (p.ID IS NULL OR p.post_status <> 'publish' OR p.post_password <> '' OR p.post_type NOT IN (" . $types_in . ')) ORDER BY l.post_id LIMIT %d',
			array_merge( array( $sweep['after'] ), $types ?: array( '' ), array( BATCH ) )
		) );
	}
	foreach ( $posts as $post_id ) {
		mark( (int) $post_id, true, 0 );
	}
	if ( $posts ) {
		update_option( SWEEP, array( 'after' => (int) end( $posts ), 'count' => $sweep['count'] + count( $posts ) ) + $sweep, false );
	} elseif ( 'posts' === $sweep['stage'] ) {
		update_option( SWEEP, array( 'stage' => 'rows', 'after' => 0 ) + $sweep, false );
	} else {
		delete_option( SWEEP );
	}
}

// ── one request to Loa ──

/** @return array{0: string, 1: string, 2: ?int, 3: array} Outcome, words, seconds to wait, columns of the row. */
function attempt( object $row ): array {
	$post    = fresh_post( (int) $row->post_id );
	$chosen  = $post && ( $row->stands || in_array( $post->post_type, settings()['types'], true ) );
	$loa_id  = '' !== $row->loa_id ? $row->loa_id : loa_id( (int) $row->post_id );
	$query   = portal_query( '' !== $row->portal ? $row->portal : settings()['portal'] );
	if ( ! $chosen || ! is_public( $post ) ) {
		list( $outcome, $said, $seconds ) = judge( call( 'DELETE', '/v1/articles/' . rawurlencode( $loa_id ) . $query ) );
		if ( 'unknown' === $outcome ) {
			// It was never there. Where Loa took it, it is there still, and out of our reach: that is for a person.
			list( $outcome, $said ) = '' === $row->portal ? array( 'done', '' ) : array( 'refused', $said . "\n" . words( 'not_there' ) );
		}
		return array( $outcome, $said, $seconds, 'done' === $outcome ? array( 'stands' => 0, 'digest' => '', 'portal' => '' ) : array() );
	}
	if ( ! post_type_exists( $post->post_type ) ) { // the plugin that makes it is switched off: no address, no category
		return array( 'later', sprintf( words( 'no_type' ), $post->post_type ), null, array() );
	}
	try {
		$article = as_a_reader( function () use ( $post, $loa_id ) {
			return article( $post, $loa_id );
		} );
	} catch ( \Throwable $error ) { // of a theme or another plugin, whose text stands in the article
		return array( 'later', get_class( $error ) . ': ' . $error->getMessage(), null, array() );
	}
	// Not WordPress' function: it leaves out what is not UTF-8, and nobody would know.
	$json = json_encode( $article, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
	if ( false === $json ) {
		$why   = json_last_error_msg();
		$wrong = array_filter( $article, function ( $part ) {
			return false === json_encode( $part );
		} );
		return array( 'refused', sprintf( words( 'no_json' ), implode( ', ', array_keys( $wrong ) ), $why ), null, array() );
	}
	$digest = hash( 'sha256', json_encode( array_diff_key( $article, array( 'modified_at' => 1 ) ) ) );
	if ( $row->stands && $row->digest === $digest ) {
		return array( 'done', $row->tries ? '' : $row->said, null, array() ); // saved without a change; Loa's remarks hold still
	}
	// Before it is sent: when the answer is lost, Loa may have it.
	global $wpdb;
	$wpdb->update( table(), array( 'stands' => 1, 'loa_id' => $loa_id ), array( 'post_id' => $row->post_id ) );
	list( $outcome, $said, $seconds, $portal ) = judge( call( 'POST', '/v1/articles' . $query, $json ) );
	$outcome = 'unknown' === $outcome ? 'later' : $outcome; // the portal is not there
	return array( $outcome, $said, $seconds, 'done' === $outcome ? array( 'digest' => $digest, 'portal' => $portal ) : array() );
}

function portal_query( string $portal ): string {
	return '' === $portal ? '' : '?portal=' . rawurlencode( $portal );
}

/** @return array|\WP_Error */
function call( string $method, string $path, ?string $json = null ) {
	$settings = settings();
	if ( '' === known_home() ) {
		update_option( HOME, base64_encode( here() ) ); // from now on a copy of this site is told from it
	}
	$headers  = array( 'Authorization' => 'Bearer ' . $settings['token'], 'Accept' => 'application/json' );
	return wp_remote_request( rtrim( $settings['address'], '/' ) . $path, array(
		'method'              => $method,
		'headers'             => null === $json ? $headers : $headers + array( 'Content-Type' => 'application/json' ),
		'body'                => $json,
		'timeout'             => REQUEST_SECONDS_MAX,
		'redirection'         => 0, // a token goes where it was meant to
		'limit_response_size' => ANSWER_BYTES_MAX,
	) );
}

/**
 * What an answer means: `done`; `refused`, as long as the post is as it is; `unknown`, Loa does not know what was named; `later`,
 * this post alone; `retry`, it did not get through; `wait`, everything later. Only Loa itself refuses: a proxy's or a firewall's
 * page does not.
 *
 * @param array|\WP_Error $answer
 * @return array{0: string, 1: string, 2: ?int, 3: string} Outcome, words, seconds to wait, the portal where it is done.
 */
function judge( $answer ): array {
	if ( is_wp_error( $answer ) ) {
		return array( 'retry', $answer->get_error_message(), null, '' );
	}
	$status  = (int) wp_remote_retrieve_response_code( $answer );
	$body    = json_decode( wp_remote_retrieve_body( $answer ), true );
	$problem = is_array( $body ) && isset( $body['detail'], $body['status'] )
		&& 0 === strpos( implode( ',', (array) wp_remote_retrieve_header( $answer, 'content-type' ) ), 'application/problem+json' );
	$said = $status . ': ' . ( $problem
		? $body['detail'] . ( empty( $body['pointer'] ) ? '' : ' (' . $body['pointer'] . ')' )
		: words( 'not_loa' ) );
	if ( ( 200 === $status || 202 === $status ) && is_array( $body ) && isset( $body['id'], $body['revision'] ) ) {
		$notes = implode( "\n", array_filter( (array) ( $body['notes'] ?? array() ), 'is_string' ) );
		return array( 'done', $notes, null, (string) ( $body['portal'] ?? HOME_PORTAL ) );
	}
	if ( 404 === $status && $problem ) {
		return array( 'unknown', $said, null, '' );
	}
	// The token or the portal is another one, or was retired. Others may be elsewhere, and withdrawals still go through.
	$is_elsewhere = $problem && ( 409 === $status || ( 403 === $status && OTHER_PORTAL === ( $body['title'] ?? '' ) ) );
	if ( $is_elsewhere || ( $problem && $status >= 500 && 503 !== $status ) ) {
		return array( 'later', $said, null, '' );
	}
	if ( 401 === $status || 429 === $status || 503 === $status || ( 403 === $status && $problem ) ) {
		return array( 'wait', $said, retry_after( wp_remote_retrieve_header( $answer, 'retry-after' ) ), '' );
	}
	if ( $problem && $status >= 400 && $status < 500 && ! in_array( $status, array( 405, 408, 425 ), true ) ) {
		return array( 'refused', $said, null, '' );
	}
	return array( 'retry', $said, null, '' );
}

/** Seconds, from seconds or a date (RFC 9110 §10.2.3). */
function retry_after( $header ): ?int {
	$header = is_string( $header ) ? trim( $header ) : '';
	if ( ctype_digit( $header ) ) {
		return (int) $header;
	}
	$at = '' === $header ? false : strtotime( $header );
	return false === $at ? null : $at - time();
}

// ── the article ──

/** The post as the database has it now, not as this request remembers it. */
function fresh_post( int $post_id ): ?\WP_Post {
	wp_cache_delete( $post_id, 'posts' );
	wp_cache_delete( $post_id, 'post_meta' );
	$post = get_post( $post_id );
	if ( $post ) {
		clean_object_term_cache( $post_id, $post->post_type );
	}
	return $post;
}

/**
 * Calls this as in the request of a reader, whatever request this is: not logged in (what only members see must not go out),
 * outside wp-admin (many shortcodes are empty there), in the site's language and scheme. Else an article would change with
 * who saved it, and again when WP-Cron sends it. What is printed goes nowhere.
 */
function as_a_reader( callable $make ): array {
	$editor   = get_current_user_id();
	$screen   = $GLOBALS['current_screen'] ?? null;
	$server   = array_intersect_key( $_SERVER, array( 'HTTPS' => 1, 'SERVER_PORT' => 1 ) );
	$switched = switch_to_locale( get_locale() ); // first: it compares with the editor's
	wp_set_current_user( 0 );
	if ( is_admin() && class_exists( 'WP_Screen' ) ) {
		$GLOBALS['current_screen'] = \WP_Screen::get( 'front' );
	}
	$is_https               = 'https' === strtolower( (string) wp_parse_url( (string) get_option( 'home' ), PHP_URL_SCHEME ) );
	$_SERVER['HTTPS']       = $is_https ? 'on' : 'off';
	$_SERVER['SERVER_PORT'] = $is_https ? '443' : '80'; // WordPress looks at both
	ob_start();
	try {
		return $make();
	} finally {
		ob_end_clean();
		unset( $_SERVER['HTTPS'], $_SERVER['SERVER_PORT'] );
		$_SERVER                  += $server;
		$GLOBALS['current_screen'] = $screen;
		wp_set_current_user( $editor );
		if ( $switched ) {
			restore_previous_locale();
		}
	}
}

/** An article of Loa's contract (docs/schemas/article.v1.json). What is too long is refused by Loa with a sentence, not cut here. */
function article( \WP_Post $post, string $loa_id ): array {
	$html    = content_html( $post );
	$image   = featured_image( $post );
	$dated   = instant( $post, 'date' );
	$changed = instant( $post, 'modified' );
	$article = array(
		'id'           => $loa_id,
		'url'          => absolute( (string) get_permalink( $post ) ),
		'title'        => line( apply_filters( 'the_title', $post->post_title, $post->ID ) ),
		'summary'      => line( strip_shortcodes( $post->post_excerpt ) ) ?: null,
		'content_html' => $html,
		'language'     => str_replace( '_', '-', get_locale() ),
		'category'     => category( $post ),
		'source_name'  => source_name( $post ),
		'images'       => $image ? array( $image ) : array(),
		'attachments'  => attachments( $html ),
		'published_at' => $dated,
	);
	if ( $changed > $dated ) {
		$article['modified_at'] = $changed;
	}
	return (array) apply_filters( 'loa_article', $article, $post );
}

/** `date` or `modified` in UTC. From the column in UTC where importers filled it, for the other one changes its meaning with the site's zone. */
function instant( \WP_Post $post, string $field ): string {
	$at = get_post_datetime( $post, $field, 'gmt' ) ?: get_post_datetime( $post, $field ); // both in the site's zone
	return $at ? gmdate( 'Y-m-d\TH:i:s\Z', $at->getTimestamp() ) : '';
}

/** The id for good: another one for each site of a network. */
function loa_id( int $post_id ): string {
	return settings()['prefix'] . ( is_multisite() ? 'wp-' . get_current_blog_id() . '-' : 'wp-' ) . $post_id;
}

/**
 * The body as the site's own feed has it: blocks, galleries and players made. What plugins add to pages only (share buttons,
 * related posts, pictures that load late) they leave out of feeds, and what is not for everybody they keep out of them.
 */
function content_html( \WP_Post $post ): string {
	$before          = array( $GLOBALS['post'] ?? null, $GLOBALS['wp_query'] ?? null );
	$query           = new \WP_Query();
	$query->is_feed  = true;
	$query->posts    = array( $post );
	$query->post     = $post; // to which a shortcode comes back that looked at other posts
	$GLOBALS['wp_query'] = $query;
	$GLOBALS['post'] = $post; // where shortcodes and blocks look
	setup_postdata( $post );
	// The one exception: in feeds WordPress leaves out what stands below a gallery's pictures.
	$begins = function ( $made, $tag ) use ( $query ) {
		$query->is_feed = 'gallery' !== $tag || false !== $made;
		return $made;
	};
	$ends = function ( $made ) use ( $query ) {
		$query->is_feed = true;
		return $made;
	};
	add_filter( 'pre_do_shortcode_tag', $begins, 10, 2 );
	add_filter( 'do_shortcode_tag', $ends );
	try {
		return (string) apply_filters( 'the_content', $post->post_content );
	} finally {
		remove_filter( 'pre_do_shortcode_tag', $begins );
		remove_filter( 'do_shortcode_tag', $ends );
		list( $GLOBALS['post'], $GLOBALS['wp_query'] ) = $before;
		if ( $before[0] instanceof \WP_Post && $before[1] instanceof \WP_Query ) {
			setup_postdata( $before[0] );
		}
	}
}

/** Plain text in one line. */
function line( string $html ): string {
	$apart = preg_replace( '~<(?:br|/?(?:p|div|li|h[1-6]))\b~i', ' $0', $html ); // what a line break parts stays apart
	$text  = html_entity_decode( wp_strip_all_tags( (string) $apart ), ENT_QUOTES | ENT_HTML5, 'UTF-8' );
	return trim( (string) preg_replace( '/[\s\x{00a0}]+/u', ' ', $text ) );
}

/** Loa knows one: the primary one where an SEO plugin lets editors choose it, else the first that is not the default one. */
function category( \WP_Post $post ): array {
	$taxonomy = '';
	foreach ( get_object_taxonomies( $post, 'objects' ) as $candidate ) {
		if ( $candidate->hierarchical && $candidate->public && ( '' === $taxonomy || 'category' === $candidate->name ) ) {
			$taxonomy = $candidate->name;
		}
	}
	$terms = '' === $taxonomy ? array() : get_the_terms( $post, $taxonomy );
	$terms = is_array( $terms ) ? array_values( $terms ) : array();
	$first = null;
	$main  = (int) get_post_meta( $post->ID, PRIMARY_YOAST . $taxonomy, true )
		?: (int) get_post_meta( $post->ID, PRIMARY_RANK_MATH . $taxonomy, true );
	foreach ( $terms as $term ) {
		if ( $term->term_id === $main ) {
			$first = $term;
			break;
		}
		if ( ! $first && (int) get_option( 'default_category' ) !== $term->term_id ) {
			$first = $term;
		}
	}
	$first = $first ?? ( $terms[0] ?? null );
	if ( ! $first ) {
		$type = get_post_type_object( $post->post_type );
		return array( 'slug' => $post->post_type, 'label' => $type ? $type->labels->name : $post->post_type );
	}
	// WordPress percent-codes what it cannot spell; Loa brings letters of whatever language to a-z.
	return array( 'slug' => urldecode( $first->slug ), 'label' => line( $first->name ) );
}

/** Who wrote it, as chosen; never somebody's login. */
function source_name( \WP_Post $post ): ?string {
	$author = get_userdata( (int) $post->post_author );
	$site   = line( (string) get_bloginfo( 'name' ) );
	switch ( settings()['source'] ) {
		case 'author':
			return $author && $author->display_name !== $author->user_login ? line( $author->display_name ) : ( $site ?: null );
		case 'site':
			return $site ?: null;
		default:
			return null;
	}
}

function featured_image( \WP_Post $post ): ?array {
	$id    = (int) get_post_thumbnail_id( $post );
	$image = $id ? wp_get_attachment_image_src( $id, 'full' ) : false;
	if ( ! $image ) {
		return null;
	}
	$file = get_attached_file( $id );
	return array_filter( array(
		'url'        => absolute( $image[0] ),
		'media_type' => (string) get_post_mime_type( $id ),
		'bytes'      => $file && is_file( $file ) ? (int) filesize( $file ) : 0,
		'alt'        => line( (string) get_post_meta( $id, '_wp_attachment_image_alt', true ) ),
	) );
}

/** Files that the body links, each once, by its first words. */
function attachments( string $html ): array {
	preg_match_all( '~<a\s(?:[^>]*?\s)?href\s*=\s*("[^"]*"|\'[^\']*\')[^>]*>(.*?)</a>~is', $html, $links, PREG_SET_ORDER );
	$found = array();
	foreach ( $links as $link ) {
		$url  = absolute( html_entity_decode( substr( $link[1], 1, -1 ), ENT_QUOTES | ENT_HTML5, 'UTF-8' ) );
		$path = (string) wp_parse_url( $url, PHP_URL_PATH );
		$is_file = preg_match( '~\.(pdf|docx?|xlsx?|pptx?|od[tsp]|rtf|csv|zip|rar|7z)$~i', $path );
		if ( ! $is_file || ! preg_match( '~^https?://[^\s/@]+(/|$)~i', $url ) || isset( $found[ $url ] ) ) {
			continue;
		}
		$type = wp_check_filetype( $path );
		$found[ $url ] = array_filter( array(
			'url'        => $url,
			'media_type' => (string) $type['type'],
			'bytes'      => bytes_of( $url ),
			'alt'        => line( $link[2] ) ?: rawurldecode( basename( $path ) ),
		) );
	}
	return array_slice( array_values( $found ), 0, ATTACHMENTS_MAX );
}

/** The size of a file of this site; 0 for all others. */
function bytes_of( string $url ): int {
	$uploads = wp_get_upload_dir();
	$base    = absolute( $uploads['baseurl'] ) . '/';
	if ( 0 !== strpos( $url, $base ) ) {
		return 0;
	}
	$path = rawurldecode( (string) strtok( substr( $url, strlen( $base ) ), '?#' ) );
	$file = $uploads['basedir'] . '/' . $path;
	return 0 === validate_file( $path ) && is_file( $file ) ? (int) filesize( $file ) : 0;
}

/** An address with its host, and without characters that none may have. */
function absolute( string $url ): string {
	$url = trim( $url );
	if ( 0 === strpos( $url, '//' ) ) {
		$url = ( wp_parse_url( home_url(), PHP_URL_SCHEME ) ?: 'https' ) . ':' . $url;
	} elseif ( 0 === strpos( $url, '/' ) ) {
		$url = preg_replace( '~^(https?://[^/]+).*$~', '$1', home_url() ) . $url;
	}
	return (string) preg_replace_callback( '/[^\x21-\x7e]/', function ( $byte ) {
		return rawurlencode( $byte[0] );
	}, $url );
}

/** At most so many bytes, of characters that the column can keep: a word of the network must not cost the row. */
function cut( string $text, int $bytes ): string {
	global $wpdb;
	$short = strlen( $text ) <= $bytes ? $text : substr( $text, 0, $bytes - 3 ) . '…';
	$clean = $wpdb->strip_invalid_text_for_column( table(), 'said', $short );
	return is_string( $clean ) ? $clean : '';
}

// ── settings ──

/** What was chosen, over what stands in wp-config.php (`LOA_ADDRESS`, `LOA_TOKEN`). */
function settings(): array {
	$saved = get_option( SETTINGS );
	$all   = ( is_array( $saved ) ? $saved : array() )
		+ array( 'address' => '', 'token' => '', 'types' => array( 'post' ), 'prefix' => '', 'source' => 'author', 'portal' => '' );
	foreach ( array( 'address' => 'LOA_ADDRESS', 'token' => 'LOA_TOKEN' ) as $key => $constant ) {
		$all[ $key ] = defined( $constant ) ? (string) constant( $constant ) : $all[ $key ];
	}
	return $all;
}

function is_configured(): bool {
	$settings = settings();
	return '' !== $settings['address'] && '' !== $settings['token'] && ! is_copy();
}

/**
 * Whether Loa knows another site than this one: a copy for trials must not withdraw the real one's articles. With or without https
 * it is the same site.
 */
function is_copy(): bool {
	return '' !== known_home() && known_home() !== here();
}

/** The address of the site that sent first. Not in the clear: who copies a site writes the copy's address over the real one's everywhere. */
function known_home(): string {
	return (string) base64_decode( (string) get_option( HOME ) );
}

/** This site's address without its scheme. Not by filters, which give another one for each language. */
function here(): string {
	$home = ! is_multisite() && defined( 'WP_HOME' ) ? WP_HOME : ( wp_load_alloptions()['home'] ?? get_option( 'home' ) );
	return strtolower( (string) preg_replace( '~^https?://|/+$~i', '', (string) $home ) );
}

function why_not_configured(): string {
	return is_copy() ? sprintf( words( 'is_copy' ), known_home() ) : words( 'not_configured' );
}

/** @return string|null Why this is no address, or nothing. */
function wrong_address( string $address ): ?string {
	$parts = wp_parse_url( $address );
	$good  = is_array( $parts ) && in_array( $parts['scheme'] ?? '', array( 'http', 'https' ), true ) && ! empty( $parts['host'] )
		&& ! isset( $parts['user'] ) && ! isset( $parts['query'] ) && ! isset( $parts['fragment'] );
	return $good ? null : 'bad_address';
}

foreach ( array( 'save', 'test', 'all', 'again', 'forget', 'here' ) as $action ) {
	add_action( "admin_post_loa_$action", function () use ( $action ) {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html( words( 'not_allowed' ) ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( "loa_$action" );
		$said = call_user_func( __NAMESPACE__ . "\\do_$action" );
		set_transient( 'loa_said_' . get_current_user_id(), $said, 60 );
		wp_redirect( admin_url( 'options-general.php?page=loa' ) ); // ours, also where the site's pages are on another host
		exit;
	} );
}

/** @return array{0: bool, 1: string} Whether it is good, and what to say; so for all of these. */
function do_save(): array {
	$post     = wp_unslash( $_POST );
	$text     = function ( string $key ) use ( $post ): string {
		return isset( $post[ $key ] ) && is_string( $post[ $key ] ) ? trim( sanitize_text_field( $post[ $key ] ) ) : '';
	};
	$saved    = get_option( SETTINGS );
	$address  = $text( 'address' );
	$prefix   = strtolower( $text( 'prefix' ) );
	if ( '' !== $address && wrong_address( $address ) ) {
		return array( false, words( 'bad_address' ) );
	}
	if ( ! preg_match( '/^[a-z0-9-]{0,40}$/', $prefix ) ) {
		return array( false, words( 'bad_prefix' ) );
	}
	if ( ! preg_match( '/^[a-z0-9-]{0,40}$/', $text( 'portal' ) ) ) {
		return array( false, words( 'bad_portal' ) );
	}
	$types = array_map( 'strval', isset( $post['types'] ) && is_array( $post['types'] ) ? array_filter( $post['types'], 'is_string' ) : array() );
	update_option( SETTINGS, array(
		'address' => $address,
		'token'   => '' !== $text( 'token' ) ? $text( 'token' ) : ( $saved['token'] ?? '' ), // an empty field keeps what is stored
		'types'   => array_values( array_intersect( array_keys( post_types() ), $types ) ),
		'prefix'  => $prefix,
		'source'  => in_array( $text( 'source' ), array( 'author', 'site', 'none' ), true ) ? $text( 'source' ) : 'author',
		'portal'  => $text( 'portal' ),
	), false );
	go_on();
	return array( true, is_configured() ? words( 'saved' ) : words( 'saved_only' ) . ' ' . why_not_configured() );
}

/** An empty article: Loa reads it, and so refuses it, only for whoever may publish at a portal that publishes. Nothing is published. */
function do_test(): array {
	if ( ! is_configured() ) {
		return array( false, why_not_configured() );
	}
	$answer = call( 'POST', '/v1/articles' . portal_query( settings()['portal'] ), '{}' );
	list( $outcome, $said ) = judge( $answer );
	if ( 'refused' !== $outcome || 422 !== (int) wp_remote_retrieve_response_code( $answer ) ) {
		return array( false, words( 'test_bad' ) . ' ' . $said );
	}
	go_on();
	return array( true, words( 'test_good' ) );
}

function do_all(): array {
	if ( ! make_table() ) {
		return array( false, words( 'no_table' ) );
	}
	delete_option( 'loa_unnoted' ); // what could not be noted is found now
	update_option( SWEEP, array( 'stage' => 'posts', 'after' => 0, 'count' => 0 ), false );
	plan( time() );
	return array( true, words( 'all_begun' ) );
}

function do_again(): array {
	$post_id = isset( $_POST['post'] ) ? absint( $_POST['post'] ) : 0;
	if ( row( $post_id ) ) {
		mark( $post_id, true, 0 );
		plan( time() );
	}
	return array( true, words( 'again_begun' ) );
}

/** What was refused and is not published here any more. */
function do_forget(): array {
	global $wpdb;
	$post_id = isset( $_POST['post'] ) ? absint( $_POST['post'] ) : 0;
	$post    = $post_id ? get_post( $post_id ) : null;
	if ( ! $post || ! is_public( $post ) ) {
		$wpdb->delete( table(), array( 'post_id' => $post_id, 'owed' => 0, 'refused' => 1 ) );
	}
	return array( true, words( 'forgotten' ) );
}

/** The site has moved, or this copy has a Loa of its own. */
function do_here(): array {
	update_option( HOME, base64_encode( here() ) );
	go_on();
	return array( true, words( 'is_here' ) );
}

function post_types(): array {
	$types = array_filter( get_post_types( array( 'public' => true ), 'objects' ), 'is_post_type_viewable' );
	unset( $types['attachment'] );
	return $types;
}

// ── what administrators see ──

add_action( 'admin_menu', function () {
	add_options_page( 'Loa', 'Loa', 'manage_options', 'loa', __NAMESPACE__ . '\page' );
} );
add_filter( 'plugin_action_links_' . plugin_basename( __FILE__ ), function ( $links ) {
	$address = esc_url( admin_url( 'options-general.php?page=loa' ) );
	return array_merge( array( "<a href=\"$address\">" . esc_html( words( 'settings' ) ) . '</a>' ), $links );
} );
add_action( 'admin_notices', __NAMESPACE__ . '\notices' );

function notices(): void {
	global $wpdb;
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$says = array();
	if ( (int) get_option( TABLE ) !== TABLE_VERSION || get_option( 'loa_unnoted' ) ) {
		$says[] = words( 'no_table' );
	} else {
		$since   = (int) $wpdb->get_var( 'SELECT MIN(owed_since) FROM ' . table() . ' WHERE owed = 1' );
		$refused = (int) $wpdb->get_var( 'SELECT COUNT(*) FROM ' . table() . ' WHERE refused = 1' );
		if ( $since && time() - $since > LATE_SECONDS ) {
			$says[] = sprintf( words( 'late' ), human_time_diff( $since ) ) . ' ' . ( is_configured() ? '' : why_not_configured() );
		} elseif ( is_copy() ) {
			$says[] = why_not_configured();
		}
		if ( $refused ) {
			$says[] = sprintf( words( 'refused_count' ), $refused );
		}
	}
	foreach ( $says as $say ) {
		printf(
			'<div class="notice notice-error loa-notice"><p><strong>Loa</strong>: %s <a href="%s">%s</a></p></div>',
			esc_html( $say ), esc_url( admin_url( 'options-general.php?page=loa' ) ), esc_html( words( 'settings' ) )
		);
	}
}

function page(): void {
	echo '<div class="wrap"><h1>Loa</h1>';
	$said = get_transient( 'loa_said_' . get_current_user_id() );
	if ( is_array( $said ) ) {
		delete_transient( 'loa_said_' . get_current_user_id() );
		printf( '<div class="notice notice-%s loa-said"><p>%s</p></div>', $said[0] ? 'success' : 'error', esc_html( $said[1] ) );
	}
	if ( is_copy() ) {
		printf( '<div class="notice notice-warning loa-copy"><p>%s</p><p>%s</p>', esc_html( why_not_configured() ), esc_html( words( 'here_help' ) ) );
		button( 'here', 'here' );
		echo '</div>';
	}
	page_settings();
	page_queue();
	page_refused();
	page_remarks();
	echo '</div>';
}

function form_start( string $action ): void {
	printf( '<form method="post" action="%s"><input type="hidden" name="action" value="%s">',
		esc_url( admin_url( 'admin-post.php' ) ), esc_attr( "loa_$action" ) );
	wp_nonce_field( "loa_$action" );
}

function button( string $action, string $word, array $hidden = array(), string $class = 'button' ): void {
	form_start( $action );
	foreach ( $hidden as $name => $value ) {
		printf( '<input type="hidden" name="%s" value="%s">', esc_attr( $name ), esc_attr( $value ) );
	}
	printf( '<button class="%s">%s</button></form>', esc_attr( $class ), esc_html( words( $word ) ) );
}

function page_settings(): void {
	$settings = settings();
	form_start( 'save' );
	echo '<table class="form-table" role="presentation">';
	field( 'address', sprintf( '<input type="url" id="loa-address" name="address" class="regular-text" value="%s" placeholder="https://loa.example.gov.vn"%s>',
		esc_attr( $settings['address'] ), defined( 'LOA_ADDRESS' ) ? ' readonly' : '' ) );
	// The token never leaves: the field is empty, and empty keeps it.
	field( 'token', sprintf( '<input type="password" id="loa-token" name="token" class="regular-text" value="" autocomplete="new-password" placeholder="%s"%s>',
		esc_attr( '' === $settings['token'] ? '' : words( 'token_stored' ) ), defined( 'LOA_TOKEN' ) ? ' disabled' : '' ) );
	$boxes = '';
	foreach ( post_types() as $name => $type ) {
		$boxes .= sprintf( '<label><input type="checkbox" name="types[]" value="%s"%s> %s</label><br>', esc_attr( $name ),
			checked( in_array( $name, $settings['types'], true ), true, false ), esc_html( $type->labels->name ) );
	}
	field( 'types', $boxes );
	field( 'prefix', sprintf( '<input type="text" id="loa-prefix" name="prefix" class="regular-text" pattern="[a-z0-9\-]{0,40}" value="%s">', esc_attr( $settings['prefix'] ) ) );
	field( 'portal', sprintf( '<input type="text" id="loa-portal" name="portal" class="regular-text" pattern="[a-z0-9\-]{0,40}" value="%s">', esc_attr( $settings['portal'] ) ) );
	$options = '';
	foreach ( array( 'author', 'site', 'none' ) as $source ) {
		$options .= sprintf( '<option value="%s"%s>%s</option>', $source, selected( $settings['source'], $source, false ), esc_html( words( "source_$source" ) ) );
	}
	field( 'source', "<select id=\"loa-source\" name=\"source\">$options</select>" );
	echo '</table>';
	printf( '<p><button class="button button-primary">%s</button></p></form>', esc_html( words( 'save' ) ) );
	if ( 0 === strpos( $settings['address'], 'http://' ) ) {
		printf( '<p><em>%s</em></p>', esc_html( words( 'not_https' ) ) );
	}
	button( 'test', 'test' );
}

/** @param string $html Already escaped. */
function field( string $name, string $html ): void {
	printf( '<tr><th scope="row"><label for="loa-%1$s">%2$s</label></th><td>%3$s<p class="description">%4$s</p></td></tr>',
		esc_attr( $name ), esc_html( words( "{$name}_label" ) ), $html, esc_html( words( "{$name}_help" ) ) );
}

function page_queue(): void {
	global $wpdb;
	$queue = $wpdb->get_row( 'SELECT COUNT(*) AS count, MIN(owed_since) AS since FROM ' . table() . ' WHERE owed = 1' );
	$pause = get_option( PAUSE );
	$sweep = get_option( SWEEP );
	printf( '<h2>%s</h2><p class="loa-queue">%s</p>', esc_html( words( 'queue' ) ), esc_html( $queue && $queue->count
		? sprintf( words( 'waiting' ), $queue->count, human_time_diff( (int) $queue->since ) ) : words( 'nothing_waits' ) ) );
	if ( $pause ) {
		printf( '<p class="loa-pause">%s<br>%s</p>', esc_html( $pause['said'] ),
			esc_html( sprintf( words( 'next_try' ), human_time_diff( time(), max( time(), (int) $pause['until'] ) ) ) ) );
	}
	if ( $sweep ) {
		printf( '<p>%s</p>', esc_html( sprintf( words( 'all_so_far' ), $sweep['count'] ) ) );
	}
	list_of( 'owed = 1 AND ((said <> \'\' AND tries > 0) OR (claim <> \'\' AND claimed_until < UNIX_TIMESTAMP()))', false );
	printf( '<p>%s</p>', esc_html( words( 'all_help' ) ) );
	button( 'all', 'all' );
}

function page_refused(): void {
	printf( '<h2>%s</h2><p>%s</p>', esc_html( words( 'refused' ) ), esc_html( words( 'refused_help' ) ) );
	list_of( 'refused = 1', true );
}

function page_remarks(): void {
	printf( '<h2>%s</h2><p>%s</p>', esc_html( words( 'remarks' ) ), esc_html( words( 'remarks_help' ) ) );
	list_of( 'owed = 0 AND refused = 0 AND said <> \'\'', false );
}

/** @param string $which A condition of ours, never of a request. */
function list_of( string $which, bool $again ): void {
	global $wpdb;
	$rows = $wpdb->get_results( $wpdb->prepare( 'SELECT post_id, said, claim, claimed_until FROM ' . table() . " WHERE $which ORDER BY owed_since DESC LIMIT %d", LIST_MAX ) );
	if ( ! $rows ) {
		printf( '<p>%s</p>', esc_html( words( 'none' ) ) );
		return;
	}
	echo '<table class="widefat striped"><tbody>';
	foreach ( $rows as $row ) {
		$title = line( (string) get_the_title( (int) $row->post_id ) );
		$said  = '' !== $row->claim && $row->claimed_until < time() ? words( 'cut_short' ) : $row->said;
		$edit  = get_edit_post_link( (int) $row->post_id );
		printf( '<tr class="loa-row"><td><a href="%s">%s</a></td><td>%s</td><td>', esc_url( (string) $edit ),
			esc_html( ( '' === $title ? '—' : $title ) . " (#{$row->post_id})" ), nl2br( esc_html( $said ) ) );
		if ( $again ) {
			button( 'again', 'again', array( 'post' => $row->post_id ) );
			$post = get_post( (int) $row->post_id );
			if ( ! $post || ! is_public( $post ) ) {
				button( 'forget', 'forget', array( 'post' => $row->post_id ) );
			}
		}
		echo '</td></tr>';
	}
	echo '</tbody></table>';
}

// ── words: English, Vietnamese ──

function words( string $key ): string {
	static $words = array(
		'settings'       => array( 'Settings', 'Cài đặt' ),
		'address_label'  => array( 'Address of Loa', 'Địa chỉ của Loa' ),
		'address_help'   => array( 'Where its HTTP API is, without /v1.', 'Nơi có giao diện HTTP của Loa, không kèm /v1.' ),
		'token_label'    => array( 'Token', 'Mã truy cập' ),
		'token_help'     => array( 'Made by: loa token create --scope publish. It is not shown again; leave this empty to keep it.', 'Tạo bằng lệnh: loa token create --scope publish. Mã không được hiện lại; để trống là giữ nguyên.' ),
		'token_stored'   => array( 'stored', 'đã lưu' ),
		'types_label'    => array( 'What is sent', 'Loại nội dung được gửi' ),
		'types_help'     => array( 'What Loa has already is still corrected and withdrawn.', 'Nội dung Loa đã nhận vẫn được cập nhật và gỡ khi cần.' ),
		'prefix_label'   => array( 'Begin ids with', 'Tiền tố của mã tin' ),
		'prefix_help'    => array( 'a-z, 0-9 and -; needed when several sites send to one portal of Loa. Articles that were sent keep their ids.', 'a-z, 0-9 và -; cần khi nhiều trang gửi về cùng một cổng trong Loa. Bài đã gửi giữ nguyên mã.' ),
		'portal_label'   => array( 'Portal of Loa', 'Cổng trong Loa' ),
		'portal_help'    => array( 'Its short name, for new articles. Empty: the one that the token is for. What stands at another portal stays there, and is corrected and withdrawn there.', 'Tên ngắn của cổng nhận bài mới. Để trống: cổng của mã truy cập. Bài đã ở cổng khác thì ở lại đó, được cập nhật và gỡ tại đó.' ),
		'source_label'   => array( 'Source shown', 'Nguồn tin' ),
		'source_help'    => array( 'A name that is also the login is never sent; the name of the site stands for it.', 'Tên trùng với tên đăng nhập không bao giờ được gửi; thay vào đó là tên trang.' ),
		'source_author'  => array( 'the author\'s public name', 'tên hiển thị của tác giả' ),
		'source_site'    => array( 'the name of the site', 'tên trang' ),
		'source_none'    => array( 'none', 'không ghi' ),
		'save'           => array( 'Save', 'Lưu' ),
		'saved'          => array( 'Saved. What waits is sent now.', 'Đã lưu. Những bài đang chờ sẽ được gửi ngay.' ),
		'saved_only'     => array( 'Saved.', 'Đã lưu.' ),
		'test'           => array( 'Test the connection', 'Thử kết nối' ),
		'test_good'      => array( 'Loa answers, and the token may publish. Nothing was published.', 'Loa trả lời, và mã truy cập được phép đăng. Chưa có gì được đăng.' ),
		'test_bad'       => array( 'It does not work.', 'Chưa kết nối được.' ),
		'not_configured' => array( 'The address of Loa or the token is missing.', 'Chưa có địa chỉ của Loa hoặc mã truy cập.' ),
		'is_copy'        => array( 'Nothing is sent: Loa knows this site as %s, and here it has another address.', 'Không gửi gì: Loa biết trang này ở địa chỉ %s, mà ở đây trang có địa chỉ khác.' ),
		'here_help'      => array( 'If this is a copy for trials, leave it so: it would change and withdraw the real site\'s articles. If the site itself has moved here, or this copy sends to a Loa for trials, let it send from here.', 'Nếu đây là bản sao để thử, hãy để nguyên: bản sao sẽ sửa và gỡ bài của trang thật. Nếu chính trang đã chuyển về đây, hoặc bản sao này gửi về một Loa để thử, hãy cho gửi từ đây.' ),
		'here'           => array( 'Send from this address', 'Gửi từ địa chỉ này' ),
		'is_here'        => array( 'What waits is sent from here now. If the articles\' addresses have changed, send all.', 'Những bài đang chờ được gửi từ đây. Nếu địa chỉ các bài đã đổi, hãy gửi lại tất cả.' ),
		'bad_address'    => array( 'The address must begin with https:// or http://, and have neither a user name nor a query. Nothing was saved.', 'Địa chỉ phải bắt đầu bằng https:// hoặc http://, không kèm tên đăng nhập hay tham số. Chưa lưu gì.' ),
		'bad_prefix'     => array( 'Ids may begin with a-z, 0-9 and -, at most 40 of them. Nothing was saved.', 'Tiền tố chỉ gồm a-z, 0-9 và -, tối đa 40 ký tự. Chưa lưu gì.' ),
		'bad_portal'     => array( 'The short name of a portal has a-z, 0-9 and -, at most 40 of them. Nothing was saved.', 'Tên ngắn của cổng chỉ gồm a-z, 0-9 và -, tối đa 40 ký tự. Chưa lưu gì.' ),
		'not_https'      => array( 'Without https everybody on the way can read the token. That is good only on one machine or inside a network of your own.', 'Không có https thì ai ở giữa đường cũng đọc được mã truy cập. Chỉ nên dùng trên cùng một máy hoặc trong mạng riêng.' ),
		'not_allowed'    => array( 'You may not do this.', 'Bạn không có quyền làm việc này.' ),
		'not_loa'        => array( 'this was not answered by Loa: is the address right, is a proxy or a firewall in between?', 'câu trả lời này không phải của Loa: địa chỉ có đúng không, có máy chủ trung gian hay tường lửa ở giữa không?' ),
		'queue'          => array( 'On the way', 'Đang chờ gửi' ),
		'waiting'        => array( '%1$d posts wait, the first for %2$s.', '%1$d bài đang chờ, bài đầu tiên đã chờ %2$s.' ),
		'nothing_waits'  => array( 'Nothing waits: Loa has what stands here.', 'Không có bài nào chờ: Loa đã có đúng những gì đang đăng ở đây.' ),
		'next_try'       => array( 'Next try in %s. Nothing is lost meanwhile.', 'Lần thử sau: %s nữa. Trong lúc đó không mất gì.' ),
		'late'           => array( 'posts have not reached Loa for %s.', 'có bài chưa đến được Loa, đã chờ %s.' ),
		'no_table'       => array( 'the table of what is to be sent could not be made or written, so posts did not reach Loa. Let the database user make tables, then send all.', 'không tạo được hoặc không ghi được bảng chờ gửi, nên có bài chưa đến Loa. Hãy cho người dùng cơ sở dữ liệu quyền tạo bảng, rồi gửi lại tất cả.' ),
		'all'            => array( 'Send all that is published', 'Gửi tất cả bài đã đăng' ),
		'all_help'       => array( 'Brings Loa to what stands here, step by step. What Loa has already stays as it is, and nobody is told twice.', 'Làm cho Loa khớp với những gì đang đăng ở đây, từng bước một. Bài Loa đã có thì giữ nguyên, không ai bị báo hai lần.' ),
		'all_begun'      => array( 'It has begun, and goes on by itself.', 'Đã bắt đầu, và tự chạy tiếp.' ),
		'all_so_far'     => array( 'Sending all: %d so far.', 'Đang gửi tất cả: đến nay %d bài.' ),
		'refused'        => array( 'Refused', 'Bị từ chối' ),
		'refused_help'   => array( 'Loa does not take these as they are. Mend them and save: that sends them again.', 'Loa không nhận những bài này như hiện trạng. Sửa rồi lưu lại là bài được gửi lại.' ),
		'refused_count'  => array( 'posts that Loa does not take as they are: %d.', 'số bài Loa không nhận như hiện trạng: %d.' ),
		'remarks'        => array( 'Taken, but shown otherwise', 'Đã nhận, nhưng hiển thị khác' ),
		'remarks_help'   => array( 'What Loa left out of these, in its words.', 'Những gì Loa đã lược bỏ, theo lời của Loa.' ),
		'again'          => array( 'Send again', 'Gửi lại' ),
		'again_begun'    => array( 'It is sent within a minute.', 'Bài sẽ được gửi trong vòng một phút.' ),
		'not_there'      => array( 'Loa had taken this article. It was not withdrawn: is the address of Loa another one, or was a ledger restored? Find it in Loa, withdraw it there, and forget it here.', 'Loa đã từng nhận bài này. Bài chưa được gỡ: có phải địa chỉ Loa đã đổi, hay dữ liệu của Loa vừa được khôi phục? Hãy tìm và gỡ bài trong Loa, rồi bỏ khỏi danh sách ở đây.' ),
		'no_json'        => array( 'This cannot be sent: %1$s (%2$s). Often another plugin cuts a text in the middle of a letter.', 'Không gửi được phần này: %1$s (%2$s). Thường là do một plugin khác cắt chữ ở giữa ký tự.' ),
		'cut_short'      => array( 'The last try ended in the middle: a theme or another plugin ended PHP, or the server did.', 'Lần gửi trước bị ngắt giữa chừng: giao diện hoặc một plugin khác đã dừng PHP, hoặc máy chủ dừng.' ),
		'no_type'        => array( 'WordPress does not know the type "%s" of this post just now: is the plugin that makes it switched off? What Loa has stays as it is.', 'Lúc này WordPress không biết loại nội dung "%s" của bài: có phải plugin tạo ra loại này đang tắt? Bài trong Loa giữ nguyên.' ),
		'forget'         => array( 'Forget', 'Bỏ khỏi danh sách' ),
		'forgotten'      => array( 'Forgotten here. Nothing was changed in Loa.', 'Đã bỏ khỏi danh sách. Không có gì thay đổi trong Loa.' ),
		'none'           => array( 'None.', 'Không có.' ),
	);
	$user = function_exists( 'get_user_locale' ) ? get_user_locale() : get_locale();
	return $words[ $key ][ 0 === strpos( $user, 'vi' ) ? 1 : 0 ];
}
