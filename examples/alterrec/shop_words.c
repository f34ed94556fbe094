#include "shop_words.h"

#include <inttypes.h>
#include <stdio.h>

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof(array)[0]))

enum { NOUNS = 12, PLAIN_NOUNS = 2 };

static const char *const nouns[][NOUNS] = {
    /* kitchen */
    {"Apron", "Teapot", "Mug", "Ladle", "Saucepan", "Colander", "Whisk", "Tureen", "Grater",
     "Breadboard", "Pitcher", "Spatula"},
    /* garden */
    {"Trowel", "Planter", "Birdbath", "Trellis", "Watering Can", "Secateurs", "Hose Reel",
     "Bird Feeder", "Wheelbarrow", "Rake", "Cloche", "Plant Label"},
    /* lighting */
    {"Lantern", "Lampshade", "Candlestick", "Pendant Lamp", "Tealight Holder", "Fairy Lights",
     "Desk Lamp", "Sconce", "Chandelier", "Night Light", "Torch", "Candle Jar"},
    /* textiles */
    {"Cushion", "Blanket", "Table Runner", "Curtain", "Tea Towel", "Quilt", "Napkin", "Rug",
     "Pillowcase", "Throw", "Bedspread", "Doormat"},
    /* toys */
    {"Spinning Top", "Puzzle", "Rocking Horse", "Kite", "Puppet", "Building Blocks", "Rag Doll",
     "Yo-yo", "Marble Run", "Toy Train", "Skittles", "Jigsaw"},
    /* stationery */
    {"Notebook", "Fountain Pen", "Pencil Case", "Envelope Set", "Wrapping Paper", "Calendar",
     "Bookmark", "Ink Pot", "Letter Opener", "Postcard", "Folder", "Stamp Pad"},
    /* tools */
    {"Hammer", "Screwdriver", "Chisel", "Spirit Level", "Pliers", "Handsaw", "Toolbox", "Spanner",
     "Workbench", "Clamp", "Hand Plane", "Measuring Tape"},
    /* sport */
    {"Skipping Rope", "Yoga Mat", "Dumbbell", "Racket", "Shuttlecock", "Water Bottle", "Gym Bag",
     "Bicycle Bell", "Swimming Goggles", "Football", "Running Belt", "Climbing Chalk"},
    /* travel */
    {"Suitcase", "Rucksack", "Luggage Tag", "Passport Cover", "Neck Pillow", "Toiletry Bag",
     "Picnic Hamper", "Umbrella", "Map Case", "Flask", "Hammock", "Packing Cube"},
    /* bath */
    {"Soap Dish", "Bath Towel", "Bathrobe", "Shower Curtain", "Loofah", "Toothbrush Holder",
     "Bath Salts", "Mirror", "Laundry Basket", "Bath Mat", "Sponge", "Hairbrush"},
    /* furniture */
    {"Bookshelf", "Stool", "Armchair", "Side Table", "Footrest", "Coat Stand", "Bench", "Dresser",
     "Writing Desk", "Wardrobe", "Shoe Rack", "Magazine Stand"},
    /* music */
    {"Ukulele", "Tambourine", "Music Box", "Harmonica", "Drumsticks", "Music Stand", "Recorder",
     "Guitar Strap", "Metronome", "Xylophone", "Maracas", "Record Crate"},
    /* pets */
    {"Dog Lead", "Cat Basket", "Food Bowl", "Scratching Post", "Collar", "Aquarium", "Chew Toy",
     "Pet Brush", "Bird Perch", "Hamster Wheel", "Kennel", "Pet Carrier"},
    /* baking */
    {"Cake Tin", "Rolling Pin", "Cookie Cutter", "Piping Bag", "Cake Stand", "Muffin Tray",
     "Flour Sieve", "Pie Dish", "Oven Glove", "Mixing Bowl", "Pastry Brush", "Loaf Tin"},
    /* decoration */
    {"Vase", "Picture Frame", "Garland", "Wall Clock", "Figurine", "Wind Chime", "Snow Globe",
     "Wreath", "Bunting", "Paperweight", "Door Hook", "Trinket Box"},
    /* office */
    {"Stapler", "Letter Tray", "Pinboard", "Hole Punch", "Paper Clip", "Waste Basket", "Pen Holder",
     "Desk Mat", "Book End", "Key Cabinet", "Card Index", "Tape Dispenser"},
};

static const char *const colours[] = {"Red", "Blue", "White", "Black"};

static const char *const materials[] = {
    "Oak",       "Walnut", "Bamboo",  "Linen",      "Velvet",    "Copper", "Brass",  "Marble",
    "Porcelain", "Rattan", "Leather", "Felt",       "Stoneware", "Slate",  "Pewter", "Cork",
    "Enamel",    "Jute",   "Birch",   "Terracotta", "Wool",      "Silk",   "Tin",    "Cedar"};

static const char *const patterns[] = {
    "Stripe", "Dot",     "Check",     "Floral",      "Paisley", "Chevron", "Lattice", "Spiral",
    "Wave",   "Diamond", "Honeycomb", "Herringbone", "Mosaic",  "Feather", "Leaf",    "Star",
    "Ripple", "Zigzag",  "Plaid",     "Trefoil",     "Scallop", "Hexagon", "Bamboo",  "Confetti",
    "Damask", "Gingham", "Ikat",      "Medallion",   "Ogee",    "Toile",   "Scroll"};

static const char *const first_names[] = {
    "Amber",   "Arctic",  "Autumn",    "Bramble", "Cobalt",   "Coral",   "Crimson",  "Dapple",
    "Dusky",   "Ember",   "Fable",     "Fern",    "Frosted",  "Gilded",  "Gossamer", "Hazel",
    "Heather", "Hidden",  "Indigo",    "Ivory",   "Jasmine",  "Juniper", "Lavender", "Lunar",
    "Maple",   "Meadow",  "Midnight",  "Misty",   "Mossy",    "Nordic",  "Olive",    "Opal",
    "Pearl",   "Plum",    "Poppy",     "Quartz",  "Quiet",    "Rustic",  "Saffron",  "Sapphire",
    "Scarlet", "Sepia",   "Silver",    "Solar",   "Spiced",   "Starlit", "Summer",   "Sunlit",
    "Tartan",  "Thistle", "Tidal",     "Tudor",   "Twilight", "Umber",   "Velour",   "Verdant",
    "Vintage", "Violet",  "Wandering", "Wild",    "Willow",   "Winter",  "Wistful",  "Zephyr"};

static const char *const last_names[] = {
    "Abbey",    "Acorn",   "Anchor",     "Arbour", "Badger",  "Bay",     "Beacon",   "Bloom",
    "Bluff",    "Brook",   "Canyon",     "Castle", "Cottage", "Cove",    "Creek",    "Dale",
    "Dolphin",  "Dune",    "Falcon",     "Fjord",  "Forest",  "Fox",     "Galaxy",   "Glade",
    "Grove",    "Harbour", "Harvest",    "Heron",  "Hollow",  "Horizon", "Island",   "Kestrel",
    "Lagoon",   "Lark",    "Lighthouse", "Lotus",  "Manor",   "Mermaid", "Mill",     "Moth",
    "Mountain", "Orchard", "Otter",      "Owl",    "Peacock", "Pebble",  "Pine",     "Prairie",
    "Rabbit",   "Raven",   "River",      "Robin",  "Rose",    "Sparrow", "Spruce",   "Stag",
    "Stream",   "Swallow", "Temple",     "Tulip",  "Valley",  "Village", "Vineyard", "Wren"};

static const char *pick(const char *const *words, int64_t count, cli_dice *dice) {
    return words[dice_below(dice, count)];
}

void words_plain_title(char *title, size_t size, int64_t category, cli_dice *dice) {
    const char *colour = pick(colours, COUNT(colours), dice);
    const char *noun = pick(nouns[category], PLAIN_NOUNS, dice);
    snprintf(title, size, "%s %s", colour, noun);
}

/* Name number `index`, a word of each list. As 37 has no divisor in common with either second
 * list's length, the first first_count * second_count names differ, and neighbours share no word;
 * then the names come again as editions: "Amber Harbour No. 2". */
static void put_name(char *name, size_t size, int64_t index, const char *const *first,
                     int64_t first_count, const char *const *second, int64_t second_count) {
    int64_t round = index / first_count;
    const char *last = second[(index % first_count * 37 + round) % second_count];
    int64_t edition = round / second_count + 1;
    int used = snprintf(name, size, "%s %s", first[index % first_count], last);
    if (edition > 1)
        snprintf(name + used, size - (size_t)used, " No. %" PRId64, edition);
}

void words_named_title(char *title, size_t size, int64_t series, int64_t pattern, int64_t category,
                       cli_dice *dice) {
    char series_name[48];
    char pattern_name[48];
    put_name(series_name, sizeof series_name, series, first_names, COUNT(first_names), last_names,
             COUNT(last_names));
    put_name(pattern_name, sizeof pattern_name, pattern, materials, COUNT(materials), patterns,
             COUNT(patterns));
    snprintf(title, size, "%s %s in %s", series_name, pick(nouns[category], NOUNS, dice),
             pattern_name);
}
