#include "shop_words.h"

#include <inttypes.h>
#include <stdio.h>

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof(array)[0]))

enum { NOUNS = 12 };

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

static const char *const colours[] = {"Red",   "Blue", "Green", "White", "Black",
                                      "Cream", "Pink", "Grey",  "Brown", "Yellow"};

static const char *const plain_materials[] = {"Cotton", "Wooden", "Ceramic", "Metal", "Glass"};

static const char *const materials[] = {
    "Oak",       "Walnut", "Bamboo",  "Linen",      "Velvet",    "Copper", "Brass",  "Marble",
    "Porcelain", "Rattan", "Leather", "Felt",       "Stoneware", "Slate",  "Pewter", "Cork",
    "Enamel",    "Jute",   "Birch",   "Terracotta", "Wool",      "Silk",   "Tin",    "Cedar"};

static const char *const sizes[] = {"Small", "Large", "Mini", "Set of Two", "Gift Boxed", "Tall"};

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
    const char *material = pick(plain_materials, COUNT(plain_materials), dice);
    const char *noun = pick(nouns[category], NOUNS, dice);
    snprintf(title, size, "%s %s %s", colour, material, noun);
}

void words_series_title(char *title, size_t size, int64_t series, int64_t category,
                        cli_dice *dice) {
    /* 37 and 64 have no common factor: neighbouring series share no word, and the first 64 x 64
     * names are distinct. */
    int64_t first = series % COUNT(first_names);
    int64_t round = series / COUNT(first_names);
    int64_t last = (series * 37 + round) % COUNT(last_names);
    int64_t edition = round / COUNT(last_names);
    const char *material = pick(materials, COUNT(materials), dice);
    const char *noun = pick(nouns[category], NOUNS, dice);
    const char *extra = pick(sizes, COUNT(sizes), dice);
    if (edition > 0)
        snprintf(title, size, "%s %s No. %" PRId64 " %s %s, %s", first_names[first],
                 last_names[last], edition + 1, material, noun, extra);
    else
        snprintf(title, size, "%s %s %s %s, %s", first_names[first], last_names[last], material,
                 noun, extra);
}
