/* sample.c - which messages do the unit tests feed, and how?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

const real_message_t real_messages[REAL_MESSAGES] = {
    [REAL_SA_INIT_REQUEST] = {
        .name = "sa_init_request",
        .message =
            "b1a5097c9cbbe52500000000000000002120220800000000000000f0220000300000002c010100040300000c0100000c"
            "800e0080030000080300000c0300000802000005000000080400001f28000028001f0000cc04f59b46a819cedcb395c2"
            "455f713088e212b030c4ac997eff1e19e10d3f1b2900002402817f02177735891fa289408e8ce43483a3e13993753d28"
            "c7604f8ee7ff51292900001c000040044992edc251d471791c488cd98a224e0a125c3dbf2900001c00004005b591ea9c"
            "34d69915ccfea65525afad9eabc17d5f290000080000402e290000100000402f00020003000400050000000800004016",
    },
    [REAL_SA_INIT_RESPONSE] = {
        .name = "sa_init_response",
        .message =
            "b1a5097c9cbbe525a6ddac4177ff2a232120222000000000000000f8220000300000002c010100040300000c0100000c"
            "800e0080030000080300000c0300000802000005000000080400001f28000028001f0000db78f948655954e61e0232b0"
            "b0734e76341064a34eecb7ad0be26a062af7870829000024840b668c6cf503f4ca491280da879b0038e084ed565b2f46"
            "dfb75967c2baecb82900001c00004004707c6698c9a7f5d7a73e84856594836e20c91d342900001c0000400516f6660c"
            "fa4fb7570a900274bfe726aeb11d1af2290000080000402e290000100000402f00020003000400052900000800004022"
            "0000000800004014",
    },
    [REAL_NO_PROPOSAL_CHOSEN] = {
        .name = "no_proposal_chosen",
        .message =
            "bc339ba9a9a8de8c0000000000000000292022200000000000000024000000080000000e",
    },
    [REAL_AUTH_REQUEST] = {
        .name = "auth_request",
        .message =
            "0c7d101e9c729d51142714f282ee8c3d2e2023080000000100000110230000f4d0b535fd3852d79afd8e8b94cad11b00"
            "0708d9b77ada4402cb5ee0acaea48c689617b40470338c65dfcc4a174e22deeba56042887787283f386ef723ae8f1ba1"
            "0c54d0a41b2eb553943cf63dc8661a08e48226a2ebe5adaf6df93b5df758506846b0fbde493b5d7551c66c82aa0739c6"
            "4332b28ce9ae103a6f76fd75977b7d78ab7b6ace47772ff664c3691fa925501809330571e030de01397341f5c8883f04"
            "62d65b1e4102ef49d6f69feda3d9dc6cbb92081185bcc0996d73b7f9f711df0295739a165428c0fea5138cf9a2396cee"
            "a0c91bbe8a72a4c87850a474b99db3748721aa252a3e827d19525a9295cd80c7",
        .decrypted =
            "290000120300000061406c61622e746573742400000800004000270000120300000062406c61622e7465737421000028"
            "020000004775f02390314af54677dd1d079cd81c0485475bfac985567960cb530178b8022c00002c0000002801030403"
            "b1c3f8840300000c0100000c800e0080030000080300000c00000008050000002d00001801000000070000100000ffff"
            "0a0100000a0100ff2900001801000000070000100000ffff0a0200000a0200ff29000008000040142900000800004021"
            "00000008000040249d213ad6380e7207",
    },
    [REAL_AUTH_RESPONSE] = {
        .name = "auth_response",
        .message =
            "0c7d101e9c729d51142714f282ee8c3d2e20232000000001000000e0240000c4d08f8dee222200e0ba38175534a561aa"
            "7fa83e89f1bf847ffc4ef75b209876486d4bd1fb3ac7b9f67620ff982455d8b19215955fb4f0b665f10b850830b9ec8c"
            "127b5a4e02c1bddd1615eec5b662961ab0da8bd3efe8defe55ac1e0af4d12c2274bb532def8502acb310a2a2418d5317"
            "37abbd9b53dd90f60365fca03d87bf5b2d23cfaf25d2150dc6c1f78121cb66fd6081621dec58eb8b0e3704a32ffe06de"
            "a9cb4449f97916f8c799baecfd717a9c078aa44709d94b6522f905c285b7a623",
        .decrypted =
            "270000120300000062406c61622e746573742100002802000000b9b3877b49f6d8e55f7bab81140902e1a542d1275fdf"
            "cfc6e1bf3e1f4e6eb0852c00002c0000002801030403f2a326ff0300000c0100000c800e0080030000080300000c0000"
            "0008050000002d00001801000000070000100000ffff0a0100000a0100ff0000001801000000070000100000ffff0a02"
            "00000a0200ffb3fefdc328533537f909",
    },
    [REAL_REKEY_REQUEST] = {
        .name = "rekey_request",
        .message =
            "b1a5097c9cbbe525a6ddac4177ff2a232e2024080000000400000100290000e4e94c2a69b8e46ee60b0e0ae2ab306fc8"
            "7cd3a1f41498cfd348eddb795641762c58d316162ad65e3b1c9eb0bee23b020636d83b92029b910f216f0f574297c77c"
            "28fcb1e70eb2d3fedf8588fb802a4162a5b312e060ce9105b471c99133cf85e1bb01fb126e36cd5e24469d9e107c9a60"
            "afce69f21868b26f8b7811a123bb75455709045b110c4510e1dcdad8bd02f1b0da1c19c31c2a514441a720b88c3af17a"
            "3f0f06153753212f8237608863e479ded9fb14e121bb265b5087a0ad326c0f49f13dad57519ca3f02bc681004ece1680"
            "5a82aa66ac164e2d9cf2f4e8a1e8d265",
        .decrypted =
            "2100000c03044009b2e06aed280000340000003001030404304bfb030300000c0100000c800e0080030000080300000c"
            "030000080400001f000000080500000022000024400c17301bf87527af535493e66739be62f66f53d23f6f347c9a9234"
            "82fece662c000028001f0000845b588d25d154ee9c0c14f27feaf12a0e0d4d6a2e11ec9f18da529f7ce9770e2d000018"
            "01000000070000100000ffff0a0100000a0100ff0000001801000000070000100000ffff0a0200000a0200ff1aa2b403",
    },
    [REAL_REKEY_REFUSED] = {
        .name = "rekey_refused",
        .message =
            "f90676312edd21e4d7adac5e5052032e2e202420000000040000005029000034ed54269688c449105531a5665b21c9f7"
            "faa35b569dee1801d02d076510265840a6a51962db16f13f370c3ee3b7e005ff",
        .decrypted =
            "000000080000000ed169dcb9a9948907",
    },
    [REAL_DELETE_REQUEST] = {
        .name = "delete_request",
        .message =
            "b1a5097c9cbbe525a6ddac4177ff2a232e20250800000005000000502a000034eab07884015f5795db956b2cfb0eb9f2"
            "c3eab975500fb51a9758dc9c1f0f4695584a3d6baf4b0b78fb605e5bfbaa627d",
        .decrypted =
            "0000000c03040001b2e06aedb102c903",
    },
    [REAL_EMPTY_GCM] = {
        .name = "empty_gcm",
        .message =
            "05d4727f47954e887278ffac0420e6f42e20250000000000000000390000001d45f02403f688f0fe3d603e8e6b89e839"
            "8b606f1255b7b58fbd",
        .decrypted =
            "00",
    },
    [REAL_DELETE_GCM] = {
        .name = "delete_gcm",
        .message =
            "05d4727f47954e887278ffac0420e6f42e20250000000003000000452a000029c5f02400f688f0fe0fec041cb43a4d43"
            "1935bb553d9d4ec64abe98758662cfb184bb942586",
        .decrypted =
            "0000000c0304000147ceda3600",
    },
    [REAL_V1_MAIN_1] = {
        .name = "v1_main_1",
        .message =
            "6648367f5c655eac00000000000000000110020000000000000000b40d00003800000001000000010000002c01010001"
            "000000240101000080010007800e0080800200048004000e80030001800b0001800c00000d00000c09002689dfd6b712"
            "0d000014afcad71368a1f1c96b8696fc775701000d0000184048b7d56ebce88525e7de7f00d6c2d3800000000d000014"
            "4a131c81070358455c5728f20e95452f0000001490cb80913ebb696e086381b5ec427b1f",
    },
    [REAL_V1_MAIN_6] = {
        .name = "v1_main_6",
        .message =
            "c65daeff29f3a62c453bdeea78e556a205100201000000000000005c3df29d710366232ef36e864557267cd2ab3589f4"
            "3c5d61ab4287fa023085e0ccef0e80a2c74c4dc4114d6cb56e28259ad16c135c72868966b5e1c86331901a4c",
        .decrypted =
            "080000120300000062406c61622e7465737400000024ea52422515698841838f65c4332a2b347c4240c1c01527edaaf6"
            "bc85894650f700000000000000000000",
    },
    [REAL_V1_QUICK_1] = {
        .name = "v1_quick_1",
        .message =
            "6648367f5c655eacbc4031cf9917154f08102001d374fc4c000001bcb57e336c30731e1b5bf017a73ce9468f20e27c49"
            "b83eebc07f99195cb7b897f478a2377ea35d4bd3ac2fd392a06dfb32ab1539f55a07d534b039b3e8382fcf133431fa56"
            "f8650b8a99898437bef6907435dd10bd36a32a241c6053957593600dd39b0d0c299032353c3d6d93850891a986ef3448"
            "9ca519aac0bac337d46e805e49072f8a0feadd3d498a56f7628c0653c58ec1f0ed300af40e881f237cd09d20ee20b6ad"
            "c68d629047f8f3000e0e0e2af6c35c781c9fb6f5db7eb373aa9f65219a0026c7cc1e2a91e200c644f0f812f409c20130"
            "954e473ff90f380cb2734ba2c62f863c6d5da8903d507dc34b71e9776f4375ba47d9878f7733263f5f5ef39b5933c450"
            "74d00a70d0e7444b2997a0c1eca4b0b8b313ff7a383096613f8027a5fb58ec0411444ec2d24637d074839f3166224b37"
            "b7a8d97131189a476110a8e5fda3ca8a79f3e29cacc87e355e3e5f2df74be50f9e877f80fd6aae2afe58b324f35210a9"
            "778803f33338a4dae8fb7dbd1151ef1777145623fca32ff59be1398c2d5ad2e3999f47cba5127fc3fd94e2993e36079f"
            "5734326113372a618f2a4505",
        .decrypted =
            "010000248d78dccab45f7129467142d74b700dc5afea19bfda2ce931352c981424f5fcac0a0000300000000100000001"
            "00000024010304010c35f4c100000018010c000080060080800500058003000e800400030400002489b5356f57248e11"
            "79a8c2883c1270f896404b1d77755c92cc9c68e38ebd5637050001046fb35622e70d9af5734bf95e5570496f490013ec"
            "e9be42cb822eb28903a067cd42d92751f7a7e1b082e2121f73ceb378b876115f38df41b2405b68d80c6677b58677e9be"
            "314a11c9437fe5f50f5015b9fae2542236fde21bb7460e9999986f73a9b9adeae192ba7379b475237bc0610dbc4a33d5"
            "ef9f40b5f7085c1ebc8016699531f7cd7c8463b12f5b035a24b0ad162d796f045e4de2c28cc41c67781318bc4e02f6c1"
            "6b232fae77baf83bcc4dcd03802ac95b1476562a5f79b242711f4cbbd46ffb936f42912f7bacd43d86703b58632b1817"
            "c03acd1c0415719d189932ec2ac3b77fdab9b068e482f87938883da03c1bee75009b32666609a2f03a1e212305000010"
            "040000000a010000ffffff0000000010040000000a020000ffffff0000000000",
    },
    [REAL_V1_R_U_THERE] = {
        .name = "v1_r_u_there",
        .message =
            "6648367f5c655eacbc4031cf9917154f0810050181f3fc2d0000006c9a2460c2f8e2426899849236fe40e12c42ae6f27"
            "0891f34c728e7f18bdd2e0cafb81cddc2fd908345ca69354ef3491d223c6f2626fb15165c3f6f0a8704e49dc79ef082c"
            "5f35a8c8224fdb13a61f8fd3",
        .decrypted =
            "0b000024d562e6c4f655019f68e18bdd47d73a97e25bb232344aa768d779507088728fb0000000200000000101108d28"
            "6648367f5c655eacbc4031cf9917154f35307fc0000000000000000000000000",
    },
    [REAL_V1_NO_PROPOSAL] = {
        .name = "v1_no_proposal",
        .message =
            "c65daeff29f3a62c453bdeea78e556a208100501afc5f2440000005c707d1eeb8e6b57ed790574d3b4bb3718e86c11ea"
            "fb11e2c891eafcee7cecc72b2d1f5bfa060610db7d051226e241a66706b69a757fd9dfe566a1af8df2451211",
        .decrypted =
            "0b000024a8dad30dbcc2c1388a8993ccf1c0d01fd542e32972a17e7c98d1076895d698af00000010000000010304000e"
            "00000000000000000000000000000000",
    },
};

static void
sample_append(sample_t *sample, uint64_t value, size_t size)
{
    assert_true(sample->length + size <= SAMPLE_MAX);
    while (size-- > 0)
        sample->bytes[sample->length++] = (uint8_t)(value >> 8 * size);
}

static void
sample_append_hex(sample_t *sample, const char *hex)
{
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_true(g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]));
        sample_append(sample, (unsigned)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1])), 1);
        hex += 2;
    }
}

sample_t
sample_from_hex(const char *hex)
{
    sample_t sample = { .length = 0 };

    sample_append_hex(&sample, hex);
    return sample;
}

sample_t
sample_message(uint8_t version, uint8_t next_payload, uint8_t exchange, uint8_t flags, uint32_t message_id, const char *body)
{
    sample_t sample = { .length = 0 }, payloads = sample_from_hex(body);

    sample_append(&sample, UINT64_C(0x1111111111111111), 8);
    sample_append(&sample, UINT64_C(0x2222222222222222), 8);
    sample_append(&sample, next_payload, 1);
    sample_append(&sample, version, 1);
    sample_append(&sample, exchange, 1);
    sample_append(&sample, flags, 1);
    sample_append(&sample, message_id, 4);
    sample_append(&sample, IKE_HEADER_LENGTH + payloads.length, 4);
    memcpy(sample.bytes + sample.length, payloads.bytes, payloads.length);
    sample.length += payloads.length;
    return sample;
}

sample_t
sample_encrypted(uint8_t first_inner, size_t body_length)
{
    sample_t sample = sample_message(0x20, PAYLOAD_ENCRYPTED, IKEV2_INFORMATIONAL, 0x08, 7, "");
    uint32_t length = (uint32_t)(IKE_HEADER_LENGTH + 4 + body_length);

    sample.length -= 4;
    sample_append(&sample, length, 4);
    sample_append(&sample, first_inner, 1);
    sample_append(&sample, 0, 1);
    sample_append(&sample, 4 + body_length, 2);
    for (size_t i = 0; i < body_length; i++)
        sample_append(&sample, 0, 1);
    return sample;
}

/* A copy in a block of exactly `length` bytes. */
static uint8_t *
exact_copy(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

bool
sample_parse_captured(const sample_t *message, size_t captured, const sample_t *decrypted, ike_message_t *ret_message)
{
    uint8_t *bytes = exact_copy(message->bytes, captured);
    uint8_t *plain = decrypted ? exact_copy(decrypted->bytes, decrypted->length) : NULL;
    bool is_ike = ike_message_parse(bytes, captured, message->length, plain, decrypted ? decrypted->length : 0, ret_message);

    free(bytes);
    free(plain);
    return is_ike;
}

bool
sample_parse(const sample_t *message, const sample_t *decrypted, ike_message_t *ret_message)
{
    return sample_parse_captured(message, message->length, decrypted, ret_message);
}

ike_message_t
real_parse(real_t which)
{
    sample_t message = sample_from_hex(real_messages[which].message), decrypted;
    ike_message_t parsed;

    if (real_messages[which].decrypted)
        decrypted = sample_from_hex(real_messages[which].decrypted);
    assert_true(sample_parse(&message, real_messages[which].decrypted ? &decrypted : NULL, &parsed));
    return parsed;
}

static void
assert_text_is_safe(const char *text, size_t size)
{
    assert_non_null(memchr(text, '\0', size));
    for (; *text != '\0'; text++)
        assert_true(g_ascii_isprint(*text));
}

void
assert_message_is_sane(const ike_message_t *message)
{
    assert_true(message->major == 1 || message->major == 2);
    assert_true(message->fingerprint != 0);
    assert_true(message->notifies <= NOTIFIES_MAX);
    assert_true(message->deleted_spis <= DELETED_SPIS_MAX);
    assert_true(message->nat.sources <= NAT_SOURCES_MAX && message->nat.destination.length <= NAT_HASH_BYTES_MAX);
    for (unsigned i = 0; i < message->nat.sources; i++)
        assert_true(message->nat.source[i].length > 0 && message->nat.source[i].length <= NAT_HASH_BYTES_MAX);
    assert_true(message->sa.proposals <= PROPOSALS_MAX);
    for (unsigned i = 0; i < message->sa.proposals; i++)
        assert_true(message->sa.proposal[i].transforms <= TRANSFORMS_MAX);
    assert_text_is_safe(message->identity_i, sizeof(message->identity_i));
    assert_text_is_safe(message->identity_r, sizeof(message->identity_r));
    assert_text_is_safe(message->selectors_i, sizeof(message->selectors_i));
    assert_text_is_safe(message->selectors_r, sizeof(message->selectors_r));
    if (message->is_decrypted)
        assert_true(message->is_readable && message->is_encrypted && !message->is_truncated && !message->is_malformed);
    if (message->is_encrypted && !message->is_decrypted)
        assert_true(!message->is_readable && message->payloads == 0 && message->notifies == 0 && !message->has_sa);
    assert_true(message->fragment_number <= message->fragment_total);
}
