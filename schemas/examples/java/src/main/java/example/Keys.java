package example;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.crypto.Ed25519Verifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The keys that commands are sealed to, as far as the service's root key has signed them. */
final class Keys implements AutoCloseable {
    private static final int SECONDS = 10;
    private final KafkaConsumer<String, String> consumer;
    private final TopicPartition topic;
    private final String trust;
    private final Map<String, Map<String, Object>> known = new HashMap<>();

    /** The trust is the thumbprint that the service prints, empty on one's own machine. */
    Keys(String servers, String namespace, String trust) {
        this.trust = trust;
        topic = new TopicPartition(namespace + ".state.keys.v1", 0);
        consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers, "isolation.level", "read_committed"),
                new StringDeserializer(), new StringDeserializer());
        consumer.assign(List.of(topic));
        consumer.seekToBeginning(List.of(topic));
    }

    /** The key to seal for now: the newest that serves. Waits for one, and throws when none comes. */
    synchronized ECKey sealing() throws Exception {
        var latest = Instant.now().plusSeconds(SECONDS);
        while (Instant.now().isBefore(latest)) {
            // To the end first: a later record may end a key.
            if (consumer.position(topic) < consumer.endOffsets(List.of(topic)).get(topic)) {
                for (var record : consumer.poll(Duration.ofMillis(200))) learn(record);
                continue;
            }
            var now = Instant.now();
            var newest = known.values().stream().filter(key -> serves(key, now))
                    .max(Comparator.comparing(key -> time(key, "not_before")));
            if (newest.isPresent()) {
                var jwk = ECKey.parse(JSONObjectUtils.getJSONObject(newest.get(), "jwk"));
                return new ECKey.Builder(jwk).keyID((String) newest.get().get("kid")).build();
            }
            Thread.sleep(50);
        }
        throw new TimeoutException("no key under this trust within " + SECONDS + " s");
    }

    /** A record that cannot be read is passed over: it is none that the root key signed. */
    private void learn(ConsumerRecord<String, String> record) {
        if (record.value() == null) {
            known.remove(record.key());
            return;
        }
        try {
            var key = signed(record.value());
            if (key != null && "enc".equals(key.get("use"))) known.put((String) key.get("kid"), key);
        } catch (ParseException | JOSEException | RuntimeException unreadable) {
            System.err.println("no key of the service's at offset " + record.offset());
        }
    }

    /** A key is announced before it serves and retires at an hour set before: the clock decides. */
    private static boolean serves(Map<String, Object> key, Instant now) {
        return !time(key, "not_before").isAfter(now)
                && (key.get("retired_at") == null || now.isBefore(time(key, "retired_at")));
    }

    private static Instant time(Map<String, Object> key, String name) {
        return Instant.parse((String) key.get(name));
    }

    /** What the root key signed, which is what counts; null when another one did. */
    private Map<String, Object> signed(String record) throws ParseException, JOSEException {
        var jws = JWSObject.parse((String) JSONObjectUtils.parse(record).get("signature"));
        var root = (OctetKeyPair) jws.getHeader().getJWK();
        boolean pinned = trust.isEmpty() || root.computeThumbprint().toString().equals(trust);
        return pinned && jws.verify(new Ed25519Verifier(root)) ? jws.getPayload().toJSONObject() : null;
    }

    @Override
    public synchronized void close() {
        consumer.close();
    }
}
